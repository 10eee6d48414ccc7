using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Writing;
using Messaging.Domain.Common;

namespace Messaging.Application.Messages;

/// <summary>
/// Sends what somebody says: together with what others send at the same moment, or within a command's own transaction. What a conversation
/// says of itself is left by <see cref="ChangeSet.PostSystemMessage"/>.
/// </summary>
public sealed class MessageSender(
    DbSession session, ChangeRunner changes, MessageReader views, RequestStore requests, FileUrls urls, PolicySettings policies)
{
    public async Task<SentMessage> SendAsync(Actor actor, ConversationId conversationId, MessageContent content, CancellationToken ct)
    {
        // Within a transaction the conversation stays locked, and what stands between its two is locked before it.
        if (session.InTransaction && actor.UserId is { } user && await requests.IsUnsentAsync(conversationId, user, ct))
            return await AskAsync(actor, conversationId, content, ct);
        var outcome = await changes.RunAsync(actor, new MessageChange(actor, conversationId, content, urls), ct);
        return outcome.Asks
            ? await requests.TransactAsync(conversationId, () => AskAsync(actor, conversationId, content, ct), ct)
            : await AnswerAsync(actor, conversationId, outcome, ct);
    }

    /// <summary>Sends what another request carries as its member <paramref name="member"/>; refusals point there.</summary>
    public async Task<SentMessage> SendMemberAsync(
        Actor actor, ConversationId conversationId, MessageContent content, string member, CancellationToken ct)
    {
        try
        {
            return await SendAsync(actor, conversationId, content, ct);
        }
        catch (RuleException refusal)
        {
            throw refusal.Under(member);
        }
    }

    // The first message between two who do not know each other: what stands between them is locked before the conversation.
    private async Task<SentMessage> AskAsync(Actor actor, ConversationId id, MessageContent content, CancellationToken ct)
    {
        var pair = await requests.LockPairAsync(id, actor.RequireUser(), ct);
        var first = new FirstContact(pair, policies.DirectMessages);
        var outcome = await changes.RunAsync(actor, new MessageChange(actor, id, content, urls, first), ct);
        if (pair.Asked is { } asked)
            await requests.AddAsync(outcome.Message!, asked, pair, ct);
        return await AnswerAsync(actor, id, outcome, ct);
    }

    private async Task<SentMessage> AnswerAsync(Actor actor, ConversationId id, MessageOutcome outcome, CancellationToken ct) =>
        outcome.StoredSeq is { } stored
            ? new SentMessage(await views.GetOwnAsync(id, stored, actor, ct), Created: false)
            : new SentMessage(outcome.Message!, Created: true);
}
