using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Messages;

/// <summary>
/// Sends what somebody says: together with what others send at the same moment, or within a command's own transaction. What a conversation
/// says of itself is left by <see cref="ChangeSet.Say"/>.
/// </summary>
public sealed class MessageSender(
    DbSession session, ChangeRunner changes, ConversationStore conversations, MessageReader views, RequestStore requests,
    AcceptanceStore acceptance, FileUrls urls, PolicySettings policies)
{
    public async Task<SentMessage> SendAsync(Actor actor, ConversationId conversationId, MessageContent content, CancellationToken ct)
    {
        var outcome = await changes.RunAsync(actor, new MessageChange(actor, conversationId, content, urls, asks: false), ct);
        return outcome.Asks
            ? await AskFirstAsync(actor, conversationId, content, ct)
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

    private async Task<SentMessage> AskFirstAsync(Actor actor, ConversationId id, MessageContent content, CancellationToken ct)
    {
        if (session.InTransaction)
            return await AskAsync(actor, id, content, ct);
        await session.BeginAsync(ct);
        var sent = await AskAsync(actor, id, content, ct);
        await session.CommitAsync(ct);
        return sent;
    }

    // The first message between two who do not know each other: what stands between them is locked before the conversation.
    private async Task<SentMessage> AskAsync(Actor actor, ConversationId id, MessageContent content, CancellationToken ct)
    {
        var (other, pair) = await requests.LockPairAsync(id, actor.RequireUser(), ct);
        var (conversation, _) = await conversations.GetForUpdateAsync(id, actor, ct);
        var asks = conversation.Request is RequestState.Unsent && pair.Asks(policies.DirectMessages);
        if (conversation.Request is RequestState.Unsent && !asks)
            await acceptance.OpenAsync(id, ct);
        // Whoever writes into what the other one has opened has not heard of it.
        if (asks && other.HasOpened)
            await acceptance.ShowAsync(id, actor.RequireUser(), ct);
        var outcome = await changes.RunAsync(actor, new MessageChange(actor, id, content, urls, asks: true), ct);
        var sent = await AnswerAsync(actor, id, outcome, ct);
        if (asks && sent.Created)
            await requests.AskAsync(sent.Message, pair, other, ct);
        return sent;
    }

    private async Task<SentMessage> AnswerAsync(Actor actor, ConversationId id, MessageOutcome outcome, CancellationToken ct) =>
        outcome.StoredSeq is { } stored
            ? new SentMessage(await views.GetOwnAsync(id, stored, actor, ct), Created: false)
            : new SentMessage(outcome.Message!, Created: true);
}
