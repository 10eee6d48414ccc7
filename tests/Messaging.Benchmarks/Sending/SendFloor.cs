using System.Globalization;
using Messaging.Application.Attachments;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Messaging.Benchmarks.Sending;

/// <summary>What a send decides and writes, alone on a connection of its own: one message at a time, without a service before it.</summary>
sealed class SendFloor : IAsyncDisposable
{
    const string Prefix = "floor-";

    static long sent = DateTime.UtcNow.Ticks;

    readonly SendTarget[] targets;
    readonly Random random;
    readonly NpgsqlConnection connection;
    readonly FileUrls urls = Statements.Urls();

    SendFloor(NpgsqlConnection connection, SendTarget[] targets, int number)
    {
        (this.connection, this.targets) = (connection, targets);
        random = new(number);
    }

    public static async Task<SendFloor> OpenAsync(NpgsqlDataSource database, SendTarget[] targets, int number, CancellationToken ct) =>
        new(await database.OpenConnectionAsync(ct), targets, number);

    public async ValueTask<bool> SendAsync()
    {
        var target = targets[random.Next(targets.Length)];
        var key = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Interlocked.Increment(ref sent):x16}");
        var change = new MessageChange(
            new Actor(new UserId(target.Sender)), new ConversationId(target.Conversation),
            new MessageContent(key, Text: SendTarget.Text), urls);
        using var scope = Statements.Services.CreateScope();
        var set = scope.ServiceProvider.GetRequiredService<ChangeSet>();
        return (await set.RunAsync(connection, [change], waits: false, CancellationToken.None)).Count == 0;
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();
}
