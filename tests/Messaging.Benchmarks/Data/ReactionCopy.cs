using Npgsql;

namespace Messaging.Benchmarks.Data;

/// <summary>Copies the reactions to some of the messages, and the counts beside them.</summary>
sealed class ReactionCopy(NpgsqlConnection connection, Dataset dataset)
{
    public async Task CopyAsync(CancellationToken ct)
    {
        await CopyReactionsAsync(ct);
        await CopyCountsAsync(ct);
    }

    async Task CopyReactionsAsync(CancellationToken ct)
    {
        await using var rows = await connection.BeginBinaryImportAsync(
            "COPY reactions (conversation_id, seq, user_id, emoji, created_at) FROM STDIN (FORMAT binary)", ct);
        rows.Timeout = TimeSpan.FromMinutes(5);
        foreach (var (c, seq, emoji, users) in All())
        {
            foreach (var user in users)
                await rows.WriteRowAsync(ct, c.Id.Value, (long)seq, user, emoji, Time(c));
        }

        await rows.CompleteAsync(ct);
    }

    async Task CopyCountsAsync(CancellationToken ct)
    {
        await using var rows = await connection.BeginBinaryImportAsync(
            "COPY reaction_counts (conversation_id, seq, emoji, count, user_ids, first_at) FROM STDIN (FORMAT binary)", ct);
        rows.Timeout = TimeSpan.FromMinutes(5);
        foreach (var (c, seq, emoji, users) in All())
            await rows.WriteRowAsync(ct, c.Id.Value, (long)seq, emoji, users.Length, users.Take(10).ToArray(), Time(c));
        await rows.CompleteAsync(ct);
    }

    IEnumerable<(PlannedConversation Conversation, int Seq, string Emoji, string[] Users)> All() =>
        from c in dataset.Conversations
        from seq in Enumerable.Range(1, c.Size)
        from reaction in c.ReactionsTo(seq)
        select (c, seq, reaction.Emoji, reaction.Members.Select(Shape.UserId).ToArray());

    static DateTime Time(PlannedConversation c) => DateTime.UnixEpoch.AddTicks(c.LastMessageAt * 10);
}
