using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Messaging.Benchmarks.Data;

/// <summary>Copies what some messages have beside them: files, pins, and those that somebody deleted for oneself.</summary>
sealed class ExtraCopy(NpgsqlConnection connection, Dataset dataset)
{
    public async Task CopyAsync(CancellationToken ct)
    {
        await CopyAsync(
            "attachments (conversation_id, id, uploader_id, seq, position, file_name, content_type, category, size, width, height, scan, "
                + "files, secret, is_stored, created_at)",
            Messages((c, seq) => c.HasImage(seq)),
            (rows, c, seq) => WriteImage(rows, c, seq),
            ct);
        await CopyAsync("pins (conversation_id, seq, sent_at, pinned_at)", Messages((c, seq) => c.IsPinned(seq)), (rows, c, seq) =>
        {
            rows.Write(c.Id.Value, NpgsqlDbType.Uuid);
            rows.Write((long)seq, NpgsqlDbType.Bigint);
            rows.Write(Time(c), NpgsqlDbType.TimestampTz);
            rows.Write(Time(c), NpgsqlDbType.TimestampTz);
        }, ct);
        await CopyAsync(
            "message_hidden (conversation_id, user_id, seq, hidden_at)", Messages((c, seq) => c.IsHidden(seq)), (rows, c, seq) =>
        {
            rows.Write(c.Id.Value, NpgsqlDbType.Uuid);
            rows.Write(Shape.UserId(c.Members[^1]), NpgsqlDbType.Text);
            rows.Write((long)seq, NpgsqlDbType.Bigint);
            rows.Write(Time(c), NpgsqlDbType.TimestampTz);
        }, ct);
    }

    static void WriteImage(NpgsqlBinaryImporter rows, PlannedConversation c, int seq)
    {
        var id = Guid.CreateVersion7();
        rows.Write(c.Id.Value, NpgsqlDbType.Uuid);
        rows.Write(id, NpgsqlDbType.Uuid);
        rows.Write(Shape.UserId(c.SenderOf(seq)), NpgsqlDbType.Text);
        rows.Write((long)seq, NpgsqlDbType.Bigint);
        rows.Write(1, NpgsqlDbType.Integer);
        rows.Write("photo.jpg", NpgsqlDbType.Text);
        rows.Write("image/jpeg", NpgsqlDbType.Text);
        rows.Write("image", NpgsqlDbType.Text);
        rows.Write(123_456L, NpgsqlDbType.Bigint);
        rows.Write(1200, NpgsqlDbType.Integer);
        rows.Write(900, NpgsqlDbType.Integer);
        rows.Write("clean", NpgsqlDbType.Text);
        rows.Write($"[{File(c, id, "original", 1200, 900)},{File(c, id, "medium", 800, 600)},{File(c, id, "thumbnail", 300, 300)}]",
            NpgsqlDbType.Jsonb);
        rows.Write(Guid.NewGuid(), NpgsqlDbType.Uuid);
        rows.Write(value: true, NpgsqlDbType.Boolean);
        rows.Write(Time(c), NpgsqlDbType.TimestampTz);
    }

    static string File(PlannedConversation c, Guid id, string variant, int width, int height) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"variant":"{{variant}}","key":"{{c.Id}}/{{id}}/{{id:N}}_{{variant}}.jpg","contentType":"image/jpeg","size":123456"""
            + $$""","width":{{width}},"height":{{height}}}""");

    IEnumerable<(PlannedConversation Conversation, int Seq)> Messages(Func<PlannedConversation, int, bool> which) =>
        from c in dataset.Conversations
        from seq in Enumerable.Range(1, c.Size)
        where which(c, seq)
        select (c, seq);

    async Task CopyAsync(
        string target, IEnumerable<(PlannedConversation Conversation, int Seq)> messages,
        Action<NpgsqlBinaryImporter, PlannedConversation, int> write, CancellationToken ct)
    {
        await using var rows = await connection.BeginBinaryImportAsync($"COPY {target} FROM STDIN (FORMAT binary)", ct);
        rows.Timeout = TimeSpan.FromMinutes(5);
        foreach (var (c, seq) in messages)
        {
            await rows.StartRowAsync(ct);
            write(rows, c, seq);
        }

        await rows.CompleteAsync(ct);
    }

    static DateTime Time(PlannedConversation c) => DateTime.UnixEpoch.AddTicks(c.LastMessageAt * 10);
}
