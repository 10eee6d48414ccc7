using System.Globalization;
using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Npgsql;
using NpgsqlTypes;

namespace Messaging.Benchmarks.Sending;

/// <summary>The statement of a send alone, prepared, on a connection of its own: as fast as a send can be without a service.</summary>
sealed class SendFloor : IAsyncDisposable
{
    const string Prefix = "floor-";

    static long sent = DateTime.UtcNow.Ticks;

    readonly SendTarget[] targets;
    readonly Random random;
    readonly NpgsqlConnection connection;
    readonly NpgsqlCommand command;

    SendFloor(NpgsqlConnection connection, SendTarget[] targets, int number)
    {
        this.connection = connection;
        this.targets = targets;
        random = new(number);
        command = new(Statements.Of<MessageSender>("SendSql"), connection);
        foreach (var (name, type) in (ReadOnlySpan<(string, NpgsqlDbType)>)
        [
            ("ConversationId", NpgsqlDbType.Uuid), ("UserId", NpgsqlDbType.Text), ("SenderIsParticipant", NpgsqlDbType.Boolean),
            ("Version", NpgsqlDbType.Bigint), ("MessageId", NpgsqlDbType.Uuid), ("Type", NpgsqlDbType.Text), ("Text", NpgsqlDbType.Text),
            ("Preview", NpgsqlDbType.Text), ("Metadata", NpgsqlDbType.Text), ("Location", NpgsqlDbType.Text), ("Reference", NpgsqlDbType.Text),
            ("Mentions", NpgsqlDbType.Array | NpgsqlDbType.Text), ("Mentioned", NpgsqlDbType.Array | NpgsqlDbType.Text),
            ("ClientMessageId", NpgsqlDbType.Text), ("Fingerprint", NpgsqlDbType.Bytea), ("ReplyToSeq", NpgsqlDbType.Bigint),
            ("Payload", NpgsqlDbType.Text), ("SentEvent", NpgsqlDbType.Text), ("UnreadEvent", NpgsqlDbType.Text),
        ])
            command.Parameters.Add(new NpgsqlParameter(name, type) { Value = DBNull.Value });
        Set("SenderIsParticipant", true);
        Set("Type", "text");
        Set("Text", SendTarget.Text);
        Set("Preview", SendTarget.Text);
        Set("Mentions", Array.Empty<string>());
        Set("Mentioned", Array.Empty<string>());
        Set("Fingerprint", new byte[32]);
        Set("SentEvent", MessageEvents.New);
        Set("UnreadEvent", MessageEvents.UnreadChanged);
    }

    public static async Task<SendFloor> OpenAsync(NpgsqlDataSource database, SendTarget[] targets, int number, CancellationToken ct)
    {
        var floor = new SendFloor(await database.OpenConnectionAsync(ct), targets, number);
        await floor.command.PrepareAsync(ct);
        return floor;
    }

    public async ValueTask<bool> SendAsync()
    {
        var target = targets[random.Next(targets.Length)];
        var id = Guid.CreateVersion7();
        var key = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Interlocked.Increment(ref sent):x16}");
        Set("ConversationId", target.Conversation);
        Set("UserId", target.Sender);
        Set("Version", target.Version);
        Set("MessageId", id);
        Set("ClientMessageId", key);
        Set("Payload", Payload(target, id, key));
        return await command.ExecuteScalarAsync() is long;
    }

    public async ValueTask DisposeAsync()
    {
        await command.DisposeAsync();
        await connection.DisposeAsync();
    }

    static string Payload(SendTarget target, Guid id, string key) => JsonSerializer.Serialize(
        new MessageView(
            new(id), new(target.Conversation), 0, MessageType.Text, new UserId(target.Sender),
            new SenderView(new UserId(target.Sender), "Ada Adler", "https://cdn.example.com/a/u00000.png"), SendTarget.Text, Metadata: null,
            Location: null, Reference: null,
            ReplyTo: null, Mentions: [], Attachments: [], Reactions: [], key, Pinned: false, EditCount: 0, EditedAt: null, Deleted: null, DeliveredCount: 0, ReadCount: 0, RecipientCount: 0,
            CreatedAt: default, Version: 1),
        MessagingJson.Options);

    void Set(string name, object value) => command.Parameters[name].Value = value;
}
