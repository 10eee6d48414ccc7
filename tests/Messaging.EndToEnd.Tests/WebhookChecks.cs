using System.Security.Cryptography;
using System.Text;
using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>What must hold of a webhook of everything, whatever nodes and the receiver did meanwhile.</summary>
sealed class WebhookChecks(WebhookReceiver receiver, TestDatabase database)
{
    const string FeedSql =
        """
        SELECT f.conversation_id::text, lpad(to_hex(s.epoch), 8, '0') || '-' || f.position
        FROM feed f, feed_state s
        WHERE f.type IN ('message:new', 'message:edited', 'message:reaction') AND f.user_id IS NULL
        ORDER BY f.position
        """;

    /// <summary>Every event of these conversations' messages is there, in their order, signed, with the same bytes at every try.</summary>
    public async Task HoldAsync(IReadOnlyCollection<string> conversations)
    {
        await WebhookReceiver.DoneAsync(database);
        var calls = receiver.Calls.ToList();
        Assert.That(calls.Where(call => !call.IsAccepted), Is.Not.Empty);
        Assert.That(calls.Where(call => !IsGenuine(call)).Select(call => call.Id), Is.Empty, "the signatures are valid");
        Assert.That(
            calls.GroupBy(call => call.Id).Where(tries => tries.DistinctBy(call => Convert.ToHexString(call.Body)).Count() > 1)
                .Select(tries => tries.Key),
            Is.Empty, "the bytes are the same at every try");
        var told = (await database.RowsAsync(FeedSql, row => (Conversation: row.GetString(0), Id: row.GetString(1))))
            .ToLookup(row => row.Conversation, row => row.Id);
        var taken = calls.Where(call => call.IsAccepted && IsOfMessages(call)).DistinctBy(call => call.Id)
            .ToLookup(call => call.Event.GetProperty("conversationId").GetString()!, call => call.Id);
        foreach (var conversation in conversations)
            Assert.That(taken[conversation], Is.EqualTo(told[conversation]).And.Not.Empty, conversation);
    }

    static bool IsOfMessages(WebhookCall call) =>
        call.Event.GetProperty("type").GetString() is "message:new" or "message:edited" or "message:reaction";

    bool IsGenuine(WebhookCall call)
    {
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{call.Id}.{call.Timestamp}."), .. call.Body];
        var key = Convert.FromBase64String(receiver.Secret["whsec_".Length..]);
        return call.Signatures.Split(' ').Contains("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)));
    }
}
