using Messaging.Application.Attachments;
using Messaging.Application.Conversations;
using Messaging.Application.Participants;
using Messaging.Application.Receipts;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Tests;

/// <summary>Rules of the domain that stand in SQL too, once: of anything made at random they say the same.</summary>
public sealed class RuleSqlTests : SliceFixture
{
    private const string LockoutsSql =
        $"""
        SELECT now() AS now, p.stays_out_until AS until, coalesce({LockoutSql.Holds}, false) AS holds
        FROM (
            SELECT CASE WHEN n % 10 <> 1 THEN now() + (n - 500) * interval '1 microsecond' END AS stays_out_until
            FROM generate_series(0, 1000) AS n
        ) p
        """;

    // All that stand otherwise to each other.
    private const string OwnStatesSql =
        $"""
        SELECT now() AS now, c.last_seq, p.archived_seq, p.hidden_seq, p.muted_until, {OwnStateSql.Muted} AS muted,
            {OwnStateSql.MutedUntil} IS NOT NULL AS is_muted_until, {OwnStateSql.Archived} AS archived, NOT {OwnStateSql.InInbox} AS hidden
        FROM generate_series(4, 6) AS c (last_seq)
        CROSS JOIN (
            SELECT archived_seq, hidden_seq, now() + muted_for AS muted_until
            FROM unnest(ARRAY[NULL, 5]) AS archived_seq, unnest(ARRAY[NULL, 5]) AS hidden_seq,
                unnest(ARRAY[NULL, interval '-1 us', interval '0', interval '1 us']) AS muted_for
        ) p
        """;

    [Test]
    public async Task What_is_muted_archived_and_hidden_is_so_in_SQL_as_in_the_domain()
    {
        var rows = await Slices.SqlAsync(session => session.QueryAsync<OwnStateRow>(OwnStatesSql, new { }, CancellationToken.None));

        Assert.That(rows.Select(row => row.InSql), Is.EqualTo(rows.Select(row => row.InDomain)));
        Assert.That(rows.Select(row => row.InSql).Distinct().Count(), Is.EqualTo(8));
    }

    // All that a file may be, to one who has and to one who has not cleared the message of 5.
    private const string AttachmentsSql =
        $"""
        SELECT a.uploader_id, a.seq, a.is_stored, a.is_released, a.scan, p.cleared_seq, {AttachmentSql.There} AS there,
            {AttachmentSql.Served} AS served, {AttachmentSql.Nameable} AS nameable, {AttachmentSql.Seen} AS seen
        FROM (
            SELECT uploader_id, seq, is_stored, is_released, scan
            FROM unnest(ARRAY['ada', 'bob']) AS uploader_id, unnest(ARRAY[NULL, 5]) AS seq, unnest(ARRAY[true, false]) AS is_stored,
                unnest(ARRAY[true, false]) AS is_released, unnest(ARRAY['pending', 'clean', 'infected', 'skipped']) AS scan
        ) a
        CROSS JOIN LATERAL (SELECT a.seq) m
        CROSS JOIN (
            SELECT gen_random_uuid() AS conversation_id, @UserId AS user_id, cleared_seq, false AS has_gaps
            FROM unnest(ARRAY[4, 5]) AS cleared_seq
        ) p
        """;

    [Test]
    public async Task Whose_a_file_is_and_how_far_it_has_come_is_the_same_in_SQL_as_in_the_domain()
    {
        var rows = await Slices.SqlAsync(
            session => session.QueryAsync<AttachmentRow>(AttachmentsSql, new { UserId = "ada" }, CancellationToken.None));

        Assert.That(rows.Select(row => row.InSql), Is.EqualTo(rows.Select(row => row.InDomain(new("ada")))));
    }

    private const string LineSql =
        $"""
        SELECT p.user_id
        FROM (SELECT user_id COLLATE "C" AS user_id, role, joined_at FROM unnest(@Users, @Roles, @Joined) AS p (user_id, role, joined_at)) p
        ORDER BY {SuccessionSql.Line}
        """;

    [Test]
    public async Task Who_becomes_owner_is_the_same_in_SQL_as_in_the_domain([Range(1, 3)] int seed)
    {
        var random = new Random(seed);
        var members = Enumerable.Range(0, 60).Select(i => new Participant(
            default, new UserId($"{"AZaz09_.:@-"[random.Next(11)]}{i}"),
            random.Next(3) == 0 ? ParticipantRole.Admin : ParticipantRole.Member, Instant.FromUnixTimeSeconds(random.Next(5)),
            joinedSeq: 0)).ToList();

        var line = await Slices.SqlAsync(session => session.QueryAsync<string>(
            LineSql,
            new
            {
                Users = members.Select(one => one.UserId.Value).ToArray(),
                Roles = members.Select(one => one.Role.ToString().ToLowerInvariant()).ToArray(),
                Joined = members.Select(one => one.JoinedAt.ToDateTimeUtc()).ToArray(),
            },
            CancellationToken.None));

        Assert.That(line, Is.EqualTo(Conversation.InLine(members).Select(one => one.UserId.Value)));
    }

    private const string LargeSql =
        $"""
        SELECT c.participant_count
        FROM generate_series(0, 300) AS c (participant_count)
        WHERE {ReceiptSql.IsLarge}
        ORDER BY 1
        """;

    [Test]
    public async Task A_conversation_is_large_in_SQL_as_in_the_domain()
    {
        var large = await Slices.SqlAsync(session => session.QueryAsync<int>(LargeSql, new { }, CancellationToken.None));

        Assert.That(large, Is.EqualTo(Enumerable.Range(0, 301).Where(count => Of(count).IsLarge)));

        static Conversation Of(int count) => Conversation.Restore(default, new ConversationState(
            ConversationType.Group, OwnerId: null, count, LastSeq: 0, Version: 1, Closed: false, Archived: false, Blocked: false,
            Request: null, new PolicySettings().With(stored: null), EventNo: 0, LastEventAt: default, LastActivityDay: null));
    }

    [Test]
    public async Task A_lockout_holds_in_SQL_as_in_the_domain()
    {
        var rows = await Slices.SqlAsync(session => session.QueryAsync<LockoutRow>(LockoutsSql, new { }, CancellationToken.None));

        Assert.That(rows.Where(row => row.Holds != (row.Until is { } until && new Lockout(until).HoldsAt(row.Now))), Is.Empty);
        Assert.That(rows.Select(row => row.Holds).Distinct(), Is.EquivalentTo(new[] { true, false }));
    }

    private sealed record AttachmentRow(
        UserId UploaderId, int? Seq, bool IsStored, bool IsReleased, ScanState Scan, int ClearedSeq, bool There, bool Served, bool Nameable,
        bool Seen)
    {
        public (bool, bool, bool, bool) InSql => (There, Served, Nameable && UploaderId == new UserId("ada"), Seen);

        public (bool, bool, bool, bool) InDomain(UserId user)
        {
            var file = new Attachment(UploaderId, Seq, IsStored, IsReleased, Scan);
            return (file.IsThere, file.IsServed, file.MayBeNamedBy(user), file.IsSeenBy(user, new Visibility(ClearedSeq), isHidden: false));
        }
    }

    private sealed record OwnStateRow(
        Instant Now, int LastSeq, int? ArchivedSeq, int? HiddenSeq, Instant? MutedUntil, bool Muted, bool IsMutedUntil, bool Archived,
        bool Hidden)
    {
        private OwnState State =>
            new(ClearedSeq: 0, HiddenSeq, ArchivedSeq, StarredAt: null, MutedUntil, ShowsReads: true, Preferences: null);

        public (bool, bool, bool, bool) InSql => (Muted, IsMutedUntil, Archived, Hidden);

        public (bool, bool, bool, bool) InDomain =>
            (State.IsMuted(Now), State.IsMuted(Now), State.IsArchived(LastSeq, Now), State.IsHidden(LastSeq));
    }

    private sealed record LockoutRow(Instant Now, Instant? Until, bool Holds);
}
