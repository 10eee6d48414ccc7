using System.Diagnostics.CodeAnalysis;
using Npgsql;
using NpgsqlTypes;

namespace Messaging.Benchmarks.Data;

/// <summary>Copies the messages in order of time, month by month, then what stands beside them: keys, gaps and mentions.</summary>
sealed class MessageCopy(NpgsqlConnection connection, Dataset dataset, DateTime now)
{
    const string MessagesSql =
        "COPY messages (conversation_id, seq, created_at, id, sender_id, type, text, mentions, client_message_id, deleted_at, "
            + "deleted_reason) FROM STDIN (FORMAT binary)";

    // What a client named its message is forgotten after two days.
    readonly DateTime keysFrom = now.AddDays(-2);
    readonly byte[] fingerprint = new byte[32];
    readonly int[] seqs = new int[dataset.Conversations.Count];
    readonly List<(PlannedConversation Conversation, int Seq, DateTime At)> keys = [];
    readonly List<(PlannedConversation Conversation, int Seq)> gaps = [];
    readonly List<(PlannedConversation Conversation, int Seq, int User)> mentions = [];

    public async Task CopyAsync(Action<int, int> progress, CancellationToken ct)
    {
        var timeline = dataset.Timeline();
        for (var done = 0; done < timeline.Length; progress(done, timeline.Length))
            done = await CopyMonthAsync(timeline, done, ct);

        await CopyAsync("message_keys (sender_id, conversation_id, client_key, seq, created_at, fingerprint)", keys, (rows, key) =>
        {
            rows.Write(Shape.UserId(key.Conversation.SenderOf(key.Seq)), NpgsqlDbType.Text);
            rows.Write(key.Conversation.Id.Value, NpgsqlDbType.Uuid);
            rows.Write(ClientKey(key.Seq), NpgsqlDbType.Text);
            rows.Write((long)key.Seq, NpgsqlDbType.Bigint);
            rows.Write(key.At, NpgsqlDbType.TimestampTz);
            rows.Write(fingerprint, NpgsqlDbType.Bytea);
        }, ct);
        await CopyAsync("message_gaps (conversation_id, seq)", gaps, (rows, gap) =>
        {
            rows.Write(gap.Conversation.Id.Value, NpgsqlDbType.Uuid);
            rows.Write((long)gap.Seq, NpgsqlDbType.Bigint);
        }, ct);
        await CopyAsync("mentions (conversation_id, user_id, seq)", mentions, (rows, mention) =>
        {
            rows.Write(mention.Conversation.Id.Value, NpgsqlDbType.Uuid);
            rows.Write(Shape.UserId(mention.User), NpgsqlDbType.Text);
            rows.Write((long)mention.Seq, NpgsqlDbType.Bigint);
        }, ct);
    }

    async Task<int> CopyMonthAsync(long[] timeline, int from, CancellationToken ct)
    {
        var next = from;
        var month = Time(dataset.Entry(timeline[from]).Time).Month;
        await using var rows = await connection.BeginBinaryImportAsync(MessagesSql, ct);
        rows.Timeout = TimeSpan.FromMinutes(5);
        while (next < timeline.Length)
        {
            var (time, conversation) = dataset.Entry(timeline[next]);
            var at = Time(time);
            if (at.Month != month)
                break;
            WriteMessage(rows, conversation, ++seqs[(int)(timeline[next] & ((1 << Shape.ConversationBits) - 1))], at, time);
            next++;
        }

        await rows.CompleteAsync(ct);
        return next;
    }

    void WriteMessage(NpgsqlBinaryImporter rows, PlannedConversation conversation, int seq, DateTime at, long time)
    {
        var gap = conversation.IsGap(seq);
        var system = gap && !conversation.IsDirect;
        var deleted = gap && conversation.IsDirect;
        var mention = conversation.MentionedBy(seq);
        var keyed = at >= keysFrom && !system;
        var id = Guid.CreateVersion7(new DateTimeOffset(at));
        rows.StartRow();
        rows.Write(conversation.Id.Value, NpgsqlDbType.Uuid);
        rows.Write((long)seq, NpgsqlDbType.Bigint);
        rows.Write(at, NpgsqlDbType.TimestampTz);
        rows.Write(id, NpgsqlDbType.Uuid);
        WriteText(rows, system ? null : Shape.UserId(conversation.SenderOf(seq)));
        rows.Write(system ? "system" : conversation.HasImage(seq) ? "image" : "text", NpgsqlDbType.Text);
        WriteText(rows, deleted ? null : conversation.TextOf(seq));
        if (mention is { } user)
            rows.Write(new[] { Shape.UserId(user) }, NpgsqlDbType.Array | NpgsqlDbType.Text);
        else
            rows.WriteNull();
        WriteText(rows, keyed ? ClientKey(seq) : null);
        if (deleted)
            rows.Write(at, NpgsqlDbType.TimestampTz);
        else
            rows.WriteNull();
        WriteText(rows, deleted ? "user" : null);

        if (gap)
            gaps.Add((conversation, seq));
        if (keyed)
            keys.Add((conversation, seq, at));
        if (mention is { } mentioned)
            mentions.Add((conversation, seq, mentioned));
        if (seq == conversation.Size)
            (conversation.LastMessageId, conversation.LastMessageAt) = (id, time);
    }

    [SuppressMessage("Performance", "CA1849", Justification = "Rows are buffered; what waits is the flush of a full buffer.")]
    async Task CopyAsync<T>(string target, List<T> items, Action<NpgsqlBinaryImporter, T> write, CancellationToken ct)
    {
        await using var rows = await connection.BeginBinaryImportAsync($"COPY {target} FROM STDIN (FORMAT binary)", ct);
        foreach (var item in items)
        {
            rows.StartRow();
            write(rows, item);
        }

        await rows.CompleteAsync(ct);
    }

    static void WriteText(NpgsqlBinaryImporter rows, string? text)
    {
        if (text is null)
            rows.WriteNull();
        else
            rows.Write(text, NpgsqlDbType.Text);
    }

    static string ClientKey(int seq) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"loaded-{seq}");

    static DateTime Time(long microseconds) => DateTime.UnixEpoch.AddTicks(microseconds * 10);
}
