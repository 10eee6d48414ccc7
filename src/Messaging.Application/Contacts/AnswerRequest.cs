using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;

namespace Messaging.Application.Contacts;

/// <summary>Answers a first message: yes makes both contacts and opens the conversation, no is told to nobody.</summary>
public sealed record AnswerRequest(Actor Actor, Guid Id, bool Accepts) : ITransactionCommand<MessageRequestView>;

public sealed class AnswerRequestHandler(
    DbSession session, PairStore pairs, ContactStore contacts, RequestStore requests, Outbox outbox)
    : IRequestHandler<AnswerRequest, MessageRequestView>
{
    // Under the pair's lock.
    private const string DeclineSql =
        """
        UPDATE message_requests
        SET status = 'declined', answered_at = now()
        WHERE id = @Id
        """;

    public async Task<MessageRequestView> Handle(AnswerRequest command, CancellationToken ct)
    {
        var user = command.Actor.RequireUser();
        var from = (await FindAsync(command, ct)).From.UserId;
        if (from == user)
            throw ContactErrors.OwnQuestion();
        var standing = await pairs.LockAsync(user, from, ct);
        var request = await FindAsync(command, ct);
        if (request.Status is RequestStatus.Accepted)
            return command.Accepts ? request : throw ContactErrors.Accepted();

        if (command.Accepts && standing.Blocked)
            throw ContactErrors.Blocked();
        if (command.Accepts)
            await contacts.AcceptAsync(user, from, requestedBy: from, ct);
        else if (request.Status is RequestStatus.Pending)
            await DeclineAsync(command, user, ct);
        return await FindAsync(command, ct);
    }

    private async Task DeclineAsync(AnswerRequest command, UserId user, CancellationToken ct)
    {
        await session.ExecuteAsync(DeclineSql, new { command.Id }, ct);
        await outbox.TellAsync(new RequestAnswered(user), new RequestValues { Id = command.Id }, ct);
    }

    private async Task<MessageRequestView> FindAsync(AnswerRequest command, CancellationToken ct) =>
        await requests.FindAsync(command.Id, command.Actor.RequireUser(), ct) ?? throw CommonErrors.NotFound();
}
