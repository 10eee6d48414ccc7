using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Npgsql;

namespace Messaging.Benchmarks.Data;

/// <summary>Copies conversations with the counters that their messages make, and who takes part in them.</summary>
sealed class ConversationCopy(NpgsqlConnection connection, Dataset dataset)
{
    public async Task CopyAsync(CancellationToken ct)
    {
        await CopyConversationsAsync(ct);
        await CopyKeysAsync("direct_keys (direct_key, conversation_id)", c => c.IsDirect, DirectKey, ct);
        await CopyKeysAsync("slugs (slug, conversation_id)", c => c.Slug is not null, c => c.Slug!, ct);
        await CopyParticipantsAsync(ct);
        await CopyMarksAsync("read_marks", (c, member) => c.ReadBy(member), ct);
        await CopyMarksAsync("delivered_marks", (c, _) => c.Size, ct);
    }

    async Task CopyConversationsAsync(CancellationToken ct)
    {
        await using var rows = await connection.BeginBinaryImportAsync(
            """
            COPY conversations (id, type, name, slug, owner_id, created_by, participant_count, created_at, updated_at, last_seq, event_no,
                last_event_at, last_activity_at, last_activity_day, last_message_id, last_message_type,
                last_message_sender, last_message_text) FROM STDIN (FORMAT binary)
            """,
            ct);
        foreach (var c in dataset.Conversations)
        {
            var first = Time(c.FirstAt);
            var last = Time(c.LastMessageAt);
            var owner = Shape.UserId(c.Members[0]);
            await rows.WriteRowAsync(
                ct, c.Id.Value, c.IsDirect ? "direct" : "group", c.Slug, c.Slug, c.IsDirect ? null : owner, owner, c.Members.Length, first,
                first,
                (long)c.Size, (long)c.Size, last, last, DateOnly.FromDateTime(last), c.LastMessageId, "text",
                Shape.UserId(c.SenderOf(c.Size)), c.TextOf(c.Size));
        }

        await rows.CompleteAsync(ct);
    }

    async Task CopyKeysAsync(
        string target, Func<PlannedConversation, bool> which, Func<PlannedConversation, string> key, CancellationToken ct)
    {
        await using var rows = await connection.BeginBinaryImportAsync($"COPY {target} FROM STDIN (FORMAT binary)", ct);
        foreach (var c in dataset.Conversations.Where(which))
            await rows.WriteRowAsync(ct, key(c), c.Id.Value);
        await rows.CompleteAsync(ct);
    }

    async Task CopyParticipantsAsync(CancellationToken ct)
    {
        await using var rows = await connection.BeginBinaryImportAsync(
            """
            COPY participants (conversation_id, user_id, role, joined_at, last_read_seq, last_delivered_seq, last_read_at, activity_day,
                starred_at, archived_seq)
            FROM STDIN (FORMAT binary)
            """,
            ct);
        foreach (var c in dataset.Conversations)
        {
            var first = Time(c.FirstAt);
            var last = Time(c.LastMessageAt);
            for (var i = 0; i < c.Members.Length; i++)
            {
                await rows.WriteRowAsync(
                    ct, c.Id.Value, Shape.UserId(c.Members[i]), i == 0 && !c.IsDirect ? "owner" : "member", first, (long)c.ReadBy(i),
                    (long)c.Size, last,
                    DateOnly.FromDateTime(last), c.IsStarredBy(i) ? first : null, c.IsArchivedBy(i) ? (long)c.Size : null);
            }
        }

        await rows.CompleteAsync(ct);
    }

    async Task CopyMarksAsync(string table, Func<PlannedConversation, int, int> seqOf, CancellationToken ct)
    {
        await using var rows = await connection.BeginBinaryImportAsync(
            $"COPY {table} (conversation_id, user_id, seq, at) FROM STDIN (FORMAT binary)", ct);
        foreach (var c in dataset.Conversations)
        {
            foreach (var i in Enumerable.Range(0, c.Members.Length).Where(i => seqOf(c, i) > 0))
                await rows.WriteRowAsync(ct, c.Id.Value, Shape.UserId(c.Members[i]), (long)seqOf(c, i), Time(c.LastMessageAt));
        }

        await rows.CompleteAsync(ct);
    }

    static string DirectKey(PlannedConversation c) =>
        NewConversation.DirectKey(new UserId(Shape.UserId(c.Members[0])), new UserId(Shape.UserId(c.Members[1])), null);

    static DateTime Time(long microseconds) => DateTime.UnixEpoch.AddTicks(microseconds * 10);
}
