using Messaging.Domain.Common;
using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>What must hold of two who wrote to each other when one blocked the other.</summary>
sealed class BlockChecks(FaultRun run, TestDatabase database)
{
    public async Task HoldAsync()
    {
        foreach (var pair in run.Pairs)
            await HoldAsync(pair);
    }

    // What was begun before the block was acknowledged may have come through or not; of the rest nothing was taken, stored or heard.
    async Task HoldAsync(BlockedPair pair)
    {
        var sends = pair.Sends.ToLookup(send => send.BegunAt > pair.BlockedAt);
        var (before, after) = (sends[false], sends[true].ToList());
        Assert.That(before.Select(send => send.Answer.Status), Has.Some.EqualTo(201), "they wrote to each other");
        Assert.That(
            after.ConvertAll(send => (send.Answer.Status, send.Answer.Code)),
            Has.Count.AtLeast(run.Nodes.Length * pair.Users.Length).And.All.EqualTo((403, ProblemCodes.Blocked)));
        var stored = (await database.RowsAsync(
            $"SELECT seq, coalesce(client_message_id, '') FROM messages WHERE conversation_id = '{pair.Conversation}'",
            row => (Seq: row.GetInt64(0), Key: row.GetString(1)))).ToDictionary(row => row.Seq, row => row.Key);
        var late = after.Select(send => send.Key).ToHashSet();
        Assert.That(stored.Values.Where(late.Contains), Is.Empty, "stored after the block");
        foreach (var client in run.Clients)
        {
            var heard = client.Heard.Where(message => message.Conversation == pair.Conversation).Select(message => stored[message.Seq]);
            Assert.That(heard.Where(key => late.Contains(key) || !pair.Users.Contains(client.User)), Is.Empty, client.User);
        }
    }
}
