using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Contacts;

/// <summary>Answers a message request: accepting makes both contacts and opens the conversation. Its sender is not told of a no.</summary>
[OneTransaction("the request is decided under the pair's lock and applied to its conversation")]
public sealed record AnswerRequest(Actor Actor, Guid Id, bool Accepts) : ITransactionCommand<MessageRequestView>;

public sealed class AnswerRequestHandler(PairStore pairs, RequestStore requests) : IRequestHandler<AnswerRequest, MessageRequestView>
{
    public async Task<MessageRequestView> Handle(AnswerRequest command, CancellationToken ct)
    {
        var user = command.Actor.RequireUser();
        var found = await FindAsync(command, ct);
        var pair = await pairs.LockAsync(user, found.From.UserId == user ? found.To.UserId : found.From.UserId, ct);
        // Its conversation may have been deleted meanwhile.
        await FindAsync(command, ct);
        pair.AnswerFirst(command.Id, found.From.UserId, command.Accepts);
        await pairs.SaveAsync(pair, ct);
        return await FindAsync(command, ct);
    }

    private async Task<MessageRequestView> FindAsync(AnswerRequest command, CancellationToken ct) =>
        await requests.FindAsync(command.Id, command.Actor.RequireUser(), ct) ?? throw CommonErrors.NotFound();
}
