using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Contacts;

/// <summary>Answers a first message: yes makes both contacts and opens the conversation, no is told to nobody.</summary>
public sealed record AnswerRequest(Actor Actor, Guid Id, bool Accepts) : ICommand<MessageRequestView>;

public sealed class AnswerRequestHandler(
    DbSession session, ConversationStore conversations, ConversationViewStore views, PairStore pairs, ContactStore contacts,
    RequestStore requests, Outbox outbox, IClock clock) : IRequestHandler<AnswerRequest, MessageRequestView>
{
    // Under the pair's lock.
    private const string AnswerSql =
        """
        UPDATE message_requests
        SET status = @Status, answered_at = @Now
        WHERE id = @Id
        """;

    // Under the pair's lock and the conversation's. The receiver finds it in the inbox from now on.
    private const string OpenSql =
        """
        WITH c AS (
            UPDATE conversations
            SET request = NULL, version = version + 1
            WHERE id = @ConversationId
            RETURNING last_activity_day
        )
        UPDATE participants p
        SET pending = false, activity_day = c.last_activity_day
        FROM c
        WHERE p.conversation_id = @ConversationId AND p.user_id = @UserId
        """;

    public async Task<MessageRequestView> Handle(AnswerRequest command, CancellationToken ct)
    {
        var user = command.Actor.RequireUser();
        var request = await requests.FindAsync(command.Id, user, ct) ?? throw CommonErrors.NotFound();
        if (request.From.UserId == user)
            throw ContactErrors.OwnQuestion();
        var standing = await pairs.LockAsync(user, request.From.UserId, ct);
        request = (await requests.FindAsync(command.Id, user, ct))!;

        if (request.Status is RequestStatus.Accepted)
            return command.Accepts ? request : throw ContactErrors.Accepted();
        if (command.Accepts && standing.Blocked)
            throw ContactErrors.Blocked();
        if (command.Accepts)
            await AcceptAsync(request, user, ct);
        else if (request.Status is RequestStatus.Pending)
            await SaveAsync(request, RequestStatus.Declined, ct);

        var answered = (await requests.FindAsync(command.Id, user, ct))!;
        await outbox.TellAsync(user, ContactEvents.RequestAnswered, answered, ct);
        if (command.Accepts)
            await outbox.TellAsync(request.From.UserId, ContactEvents.RequestAnswered, answered, ct);
        return answered;
    }

    private async Task AcceptAsync(MessageRequestView request, UserId user, CancellationToken ct)
    {
        var id = request.ConversationId;
        await conversations.LockAsync(id, ct);
        await SaveAsync(request, RequestStatus.Accepted, ct);
        await session.ExecuteAsync(OpenSql, new { ConversationId = id.Value, UserId = user.Value }, ct);
        await contacts.AcceptAsync(user, request.From.UserId, requestedBy: request.From.UserId, ct);
        await outbox.AppendAsync(new ConversationCreated(id, user), (await views.FindAsync(id, Actor.Service, ct))!, ct);
    }

    private Task<int> SaveAsync(MessageRequestView request, RequestStatus status, CancellationToken ct) => session.ExecuteAsync(
        AnswerSql, new { request.Id, Status = status.ToString().ToLowerInvariant(), Now = clock.GetCurrentInstant() }, ct);
}
