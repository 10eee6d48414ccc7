using System.Globalization;
using System.Text.RegularExpressions;
using Messaging.Testing;

namespace Messaging.Api.Tests.Authorisation;

/// <summary>
/// A little world for every cell, with people and conversations of its own, so that no call disturbs another and all can run at once.
/// They are written by a few statements for all cells together, and what a call has changed is found by comparing the whole database.
/// </summary>
sealed partial class MatrixWorld(TestDatabase database)
{
    private const string Group = "group";
    private const string Pending = "pending";
    private const string Blocked = "blocked";

    // The people of a world are called by their part in it and its number.
    private const string BuildSql =
        """
        CREATE TABLE matrix_conversations (n int, caller text, kind text, state text, id uuid, message_id uuid);

        INSERT INTO matrix_conversations
        SELECT * FROM unnest(@Numbers, @Callers, @Kinds, @States, @Ids, @MessageIds);

        CREATE TABLE matrix_members (kind text, person text, role text, is_present boolean);

        INSERT INTO matrix_members
        VALUES ('group', 'owner', 'owner', true), ('group', 'admin', 'admin', true), ('group', 'member', 'member', true),
            ('group', 'target', 'member', true), ('group', 'left', 'member', false), ('group', 'removed', 'member', false),
            ('group', 'banned', 'member', false), ('pending', 'asker', 'member', true), ('pending', 'pending', 'member', true),
            ('blocked', 'blocker', 'member', true), ('blocked', 'blocked', 'member', true);

        INSERT INTO users (id, display_name, created_at, updated_at)
        SELECT person || '-' || c.n, person, now(), now()
        FROM matrix_conversations c, unnest(string_to_array(
            'stranger pending blocked left removed banned member admin owner target newcomer suitor foe asker blocker', ' ')) AS person
        WHERE c.kind = 'group';

        INSERT INTO conversations (id, type, name, slug, owner_id, created_by, participant_count, created_at, updated_at, closed_at,
            closed_reason, archived_at, last_seq, event_no, last_event_at, last_activity_at, last_activity_day, last_message_id,
            last_message_type, last_message_sender, last_message_text, blocked, request)
        SELECT c.id, CASE c.kind WHEN 'group' THEN 'group' ELSE 'direct' END, CASE c.kind WHEN 'group' THEN 'Group' END,
            CASE c.kind WHEN 'group' THEN 'world-' || c.n END, CASE c.kind WHEN 'group'
                THEN 'owner-' || c.n END, first.person || '-' || c.n,
            (SELECT count(*) FROM matrix_members m WHERE m.kind = c.kind AND m.is_present), now(), now(),
            CASE c.state WHEN 'closed' THEN now() END, CASE c.state WHEN 'closed' THEN 'manual' END, CASE c.state WHEN 'archived'
                THEN now() END,
            1, 1, now(), now(), (now() AT TIME ZONE 'UTC')::date, c.message_id, 'text', first.person || '-' || c.n, 'hello',
                c.kind = 'blocked',
            CASE c.kind WHEN 'pending' THEN 'pending' END
        FROM matrix_conversations c
        JOIN (VALUES ('group', 'owner'), ('pending', 'asker'), ('blocked', 'blocker')) AS first (kind, person) ON first.kind = c.kind
        WHERE c.state <> 'deleted';

        INSERT INTO participants (conversation_id, user_id, role, joined_at, left_at, activity_day, archived_for_all, pending)
        SELECT c.id, m.person || '-' || c.n, m.role, now(), CASE WHEN NOT m.is_present THEN now() END, (now() AT TIME ZONE 'UTC')::date,
            c.state = 'archived', m.person = 'pending'
        FROM matrix_conversations c
        JOIN matrix_members m ON m.kind = c.kind
        WHERE c.state <> 'deleted';

        INSERT INTO messages (conversation_id, seq, created_at, id, sender_id, type, text)
        SELECT c.id, 1, now(), c.message_id, first.person || '-' || c.n, 'text', 'hello'
        FROM matrix_conversations c
        JOIN (VALUES ('group', 'owner'), ('pending', 'asker'), ('blocked', 'blocker')) AS first (kind, person) ON first.kind = c.kind;

        INSERT INTO attachments (conversation_id, id, uploader_id, seq, position, file_name, content_type, category, size, scan, files,
            secret,
            is_stored, created_at)
        SELECT c.id, c.message_id, first.person || '-' || c.n, 1, 1, 'file.txt', 'text/plain', 'document', 5, 'skipped', '[]',
            gen_random_uuid(), true, now()
        FROM matrix_conversations c
        JOIN (VALUES ('group', 'owner'), ('pending', 'asker'), ('blocked', 'blocker')) AS first (kind, person) ON first.kind = c.kind;

        INSERT INTO slugs (slug, conversation_id)
        SELECT 'world-' || n, id
        FROM matrix_conversations
        WHERE kind = 'group' AND state <> 'deleted';

        INSERT INTO direct_keys (direct_key, conversation_id)
        SELECT CASE kind WHEN 'pending' THEN 'asker-' || n || ' pending-' || n ELSE 'blocked-' || n || ' blocker-' || n END, id
        FROM matrix_conversations
        WHERE kind <> 'group' AND state <> 'deleted';

        INSERT INTO bans (conversation_id, user_id, banned_by, created_at)
        SELECT id, 'banned-' || n, 'owner-' || n, now()
        FROM matrix_conversations
        WHERE kind = 'group' AND state <> 'deleted';

        INSERT INTO message_requests (id, conversation_id, pair, from_id, to_id, status, seq, message_at, created_at)
        SELECT id, id, 'asker-' || n || ' pending-' || n, 'asker-' || n, 'pending-' || n, 'pending', 1, now(), now()
        FROM matrix_conversations
        WHERE kind = 'pending';

        INSERT INTO contacts (user_id, contact_id, status, requested_by, created_at)
        SELECT pair.user_id || '-' || n, pair.contact_id || '-' || n, 'pending', 'suitor-' || n, now()
        FROM matrix_conversations c
        CROSS JOIN LATERAL (VALUES (c.caller, 'suitor'), ('suitor', c.caller)) AS pair (user_id, contact_id)
        WHERE c.kind = 'group';

        INSERT INTO blocks (user_id, blocked_id, created_at)
        SELECT pair.user_id || '-' || n, pair.blocked_id || '-' || n, now()
        FROM matrix_conversations c
        CROSS JOIN LATERAL (VALUES ('foe', c.caller), ('blocker', 'blocked')) AS pair (user_id, blocked_id)
        WHERE c.kind = 'group';

        INSERT INTO service_keys (id, name, secret_hash, scopes, created_at)
        SELECT 'key' || n, 'of the world', '', ARRAY['users'], now()
        FROM matrix_conversations
        WHERE kind = 'group';

        -- There may be 1,000: only for the calls that are about one.
        INSERT INTO webhooks (id, url, event_types, user_ids, enabled, secret, created_at, updated_at, version)
        SELECT id, 'https://93.184.216.34/', '{}', '{}', false, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', now(), now(), 1
        FROM matrix_conversations
        WHERE kind = 'group' AND n = ANY(@WithWebhook);

        INSERT INTO webhook_deliveries (id, webhook_id, lane, position, event_id, type, body, state, created_at, ended_at)
        SELECT id, id, id, 0, 'test', 'webhook:test', '{}', 'parked', now(), now()
        FROM webhooks;

        ANALYZE;
        """;

    // Of what changes without a caller: leases, places in the feed, when people were last connected, how often a login failed.
    private const string TablesSql =
        """
        SELECT c.relname::text
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relname NOT LIKE 'matrix%'
            AND c.relname NOT IN ('leases', 'feed_followers', 'webhook_places', 'login_failures', 'VersionInfo')
        """;

    private readonly Dictionary<(int Number, string Kind), (Guid Id, Guid MessageId)> conversations = [];
    private string rowsSql = "";

    /// <summary>The newest position of the feed, for calls that take one.</summary>
    public string Cursor { get; set; } = "";

    /// <summary>The user as whom a caller acts; a credential that is refused is a member's.</summary>
    public static string PersonOf(MatrixCell cell) => cell.Caller switch
    {
        "anonymous" or "garbage" or "expired" or "other-audience" or "key-without-scope" or "key-as-member" or "service" => "member",
        var person => person,
    };

    public static string UserOf(MatrixCell cell) => $"{PersonOf(cell)}-{cell.Number}";

    public async Task BuildAsync(IReadOnlyList<MatrixCell> cells)
    {
        var built = (from cell in cells from kind in new[] { Group, Pending, Blocked }
            select (cell, kind, id: Guid.CreateVersion7(), message: Guid.CreateVersion7())).ToList();
        foreach (var (cell, kind, id, message) in built)
            conversations.Add((cell.Number, kind), (id, message));
        await using var command = database.DataSource.CreateCommand(BuildSql);
        command.Parameters.AddWithValue("Numbers", built.Select(b => b.cell.Number).ToArray());
        command.Parameters.AddWithValue("Callers", built.Select(b => PersonOf(b.cell)).ToArray());
        command.Parameters.AddWithValue("Kinds", built.Select(b => b.kind).ToArray());
        command.Parameters.AddWithValue("States", built.Select(b => b.cell.State).ToArray());
        command.Parameters.AddWithValue("Ids", built.Select(b => b.id).ToArray());
        command.Parameters.AddWithValue("MessageIds", built.Select(b => b.message).ToArray());
        command.Parameters.AddWithValue(
            "WithWebhook", cells.Where(cell => cell.Row.IsAbout("webhook")).Select(cell => cell.Number).ToArray());
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Remembers every row of the database.</summary>
    public async Task RememberAsync()
    {
        var tables = await database.RowsAsync(TablesSql, row => row.GetString(0));
        rowsSql = string.Join(
            " UNION ALL ", tables.Select(table => $"SELECT '{table} ' || (to_jsonb(t) - 'last_seen_at')::text AS text FROM {table} t"));
        await database.RowsAsync($"CREATE TABLE matrix_rows AS {rowsSql}", _ => 0);
    }

    /// <summary>The first few rows that are there and were not, or were there and are not.</summary>
    public Task<List<string>> ChangesAsync() => database.RowsAsync(
        $"""
        WITH present AS MATERIALIZED ({rowsSql})
        SELECT '+ ' || text FROM (SELECT text FROM present EXCEPT ALL SELECT text FROM matrix_rows) AS added
        UNION ALL
        SELECT '- ' || text FROM (SELECT text FROM matrix_rows EXCEPT ALL SELECT text FROM present) AS gone
        LIMIT 20
        """,
        row => row.GetString(0));

    /// <summary>The text with what its names in braces mean to the cell's caller.</summary>
    public string Fill(string text, MatrixCell cell) => Name().Replace(text, match => ValueOf(match.Groups["name"].Value, cell));

    private string ValueOf(string name, MatrixCell cell)
    {
        var kind = PersonOf(cell) is Pending or Blocked ? PersonOf(cell) : Group;
        var (id, messageId) = conversations[(cell.Number, kind)];
        return name switch
        {
            "id" => id.ToString(),
            "webhook" => conversations[(cell.Number, Group)].Id.ToString(),
            "messageId" => messageId.ToString(),
            "foreignMessageId" => conversations[(cell.Number, kind == Pending ? Blocked : Pending)].MessageId.ToString(),
            "requestId" => conversations[(cell.Number, Pending)].Id.ToString(),
            "slug" => string.Create(CultureInfo.InvariantCulture, $"world-{cell.Number}"),
            "key" => string.Create(CultureInfo.InvariantCulture, $"key{cell.Number}"),
            "n" => cell.Number.ToString(CultureInfo.InvariantCulture),
            "cursor" => Cursor,
            "like" => "%F0%9F%91%8D",
            "owner" or "banned" or "target" or "newcomer" or "suitor" or "foe" => $"{name}-{cell.Number}",
            _ => name,
        };
    }

    [GeneratedRegex(@"\{(\w+=)?(?<name>\w+)\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Name();
}
