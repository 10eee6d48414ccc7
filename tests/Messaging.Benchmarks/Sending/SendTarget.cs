using Messaging.Benchmarks.Load;
using Npgsql;

namespace Messaging.Benchmarks.Sending;

/// <summary>Somebody who may send to a conversation.</summary>
sealed record SendTarget(Guid Conversation, string Sender, int Participants)
{
    public const string Text = "Thank you, the parcel came this morning. The driver rang as you said he would; all is well with it.";

    // By a hash, so that the same are found in every run and they lie anywhere in time.
    const string FindSql = """
        SELECT c.id, p.user_id, c.participant_count
        FROM (
            SELECT id, participant_count
            FROM conversations
            WHERE participant_count = @Participants AND archived_at IS NULL AND closed_at IS NULL
            ORDER BY md5(id::text)
            LIMIT @Conversations
        ) c
        CROSS JOIN LATERAL (
            SELECT user_id
            FROM participants
            WHERE conversation_id = c.id AND left_at IS NULL
            ORDER BY md5(user_id)
            LIMIT @Senders
        ) p
        """;

    /// <summary>Some conversations of so many participants, with some senders each.</summary>
    public static async Task<SendTarget[]> FindAsync(
        NpgsqlDataSource database, int participants, int conversations, int senders, CancellationToken ct)
    {
        await using var command = database.CreateCommand(FindSql);
        command.Parameters.AddWithValue("Participants", participants);
        command.Parameters.AddWithValue("Conversations", conversations);
        command.Parameters.AddWithValue("Senders", senders);
        var found = new List<SendTarget>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            found.Add(new(reader.GetGuid(0), reader.GetString(1), reader.GetInt32(2)));
        return [.. found];
    }

    /// <summary>The request, with room for the message's name at <see cref="SendClient.KeyLength"/> bytes of x.</summary>
    public byte[] Request(Requests requests) => requests.Post(
        Sender, $"/v1/conversations/{Conversation}/messages",
        $"{{\"clientMessageId\":\"{new string('x', SendClient.KeyLength)}\",\"text\":\"{Text}\"}}");
}
