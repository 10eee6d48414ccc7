using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Contacts;

/// <summary>Asks somebody to be a contact; asking who has asked already accepts.</summary>
public sealed record AskContact(Actor Actor, UserId UserId) : ITransactionCommand<AskedContact>;

/// <summary>The contact as one sees it.</summary>
/// <param name="Created">Whether this call asked; else it accepted, or changed nothing.</param>
public sealed record AskedContact(ContactView Contact, bool Created);

public sealed class AskContactHandler(
    DbSession session, ConversationStore conversations, PairStore pairs, ContactStore contacts, Outbox outbox, PolicySettings policies,
    IClock clock)
    : IRequestHandler<AskContact, AskedContact>
{
    // Under the pair's lock. Index: pk_declines; uq_message_requests_pair.
    private const string AnswersSql =
        """
        SELECT
            EXISTS (
                SELECT FROM declines
                WHERE user_id = @Other AND asker_id = @One AND declined_at > now() - make_interval(days => @DeclineDays)) AS declined,
            EXISTS (
                SELECT FROM declines
                WHERE user_id = @Other AND asker_id = @One AND taken_back_at > now() - interval '1 day') AS taken_back,
            EXISTS (
                SELECT FROM message_requests
                WHERE pair = @Pair AND status <> 'accepted' AND from_id = @One
                    AND (answered_at IS NULL OR answered_at > now() - make_interval(days => @DeclineDays))) AS waits
        """;

    // Under the pair's lock. A question that is not to be heard stands with the one who asks alone.
    private const string AskSql =
        """
        INSERT INTO contacts (user_id, contact_id, status, requested_by, created_at)
        SELECT asks.user_id, asks.contact_id, 'pending', @One, @Now
        FROM (VALUES (@One::text, @Other::text), (@Other::text, @One::text)) AS asks (user_id, contact_id)
        WHERE asks.user_id = @One OR NOT @Declined
        ON CONFLICT (user_id, contact_id) DO UPDATE SET created_at = EXCLUDED.created_at
        """;

    public async Task<AskedContact> Handle(AskContact command, CancellationToken ct)
    {
        var (one, other) = (command.Actor.RequireUser(), command.UserId);
        if (one == other)
            throw ContactErrors.WithOneself();
        await conversations.EnsureKnownAsync([other], _ => "userId", ct);
        if ((await pairs.LockAsync(one, other, ct)).Blocked)
            throw ContactErrors.Blocked();

        // Whoever declined has no row, and the one who asked still has: that one's question is open.
        var (mine, theirs) = (await contacts.FindAsync(one, other, ct), await contacts.FindAsync(other, one, ct));
        var asked = false;
        if ((mine ?? theirs) is { Status: ContactStatus.Pending } pending && pending.RequestedBy == other)
            await contacts.AcceptAsync(one, other, requestedBy: other, ct);
        else if (theirs is null)
            asked = await AskAsync(one, other, isNew: mine is null, ct);
        return new AskedContact((await contacts.FindAsync(one, other, ct))!, asked);
    }

    // A no holds for a while, be it to a contact or to a first message, and looks to the one who asked like no answer. Who has taken a
    // question back a short while ago is in the other's list, but takes that one's attention only once.
    private async Task<bool> AskAsync(UserId one, UserId other, bool isNew, CancellationToken ct)
    {
        var pair = Conversation.DirectKey(one, other, context: null);
        var answers = await session.QuerySingleAsync<Answers>(
            AnswersSql, new { One = one.Value, Other = other.Value, Pair = pair, policies.DeclineDays }, ct);
        if (isNew && answers.Waits)
            throw ConversationErrors.RequestPending();
        if (!isNew && (answers.Waits || answers.Declined))
            return false;

        await session.ExecuteAsync(
            AskSql, new { One = one.Value, Other = other.Value, answers.Declined, Now = clock.GetCurrentInstant() }, ct);
        foreach (var (user, contact) in answers.Declined || answers.TakenBack ? new[] { (one, other) } : [(one, other), (other, one)])
            await outbox.TellAsync(new ContactRequested(user), ContactValues.Of(contact), ct);
        return true;
    }

    /// <summary>What the other one has answered lately, or has yet to.</summary>
    /// <param name="Declined">The contact.</param>
    /// <param name="TakenBack">The contact, by the one who asks: the other one has heard of it.</param>
    /// <param name="Waits">A first message has no answer, or a no.</param>
    private sealed record Answers(bool Declined, bool TakenBack, bool Waits);
}
