using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;

namespace Messaging.Application.Writing;

/// <summary>Where commands hand on their changes: to the one writer, or to the transaction that is open already.</summary>
public sealed class ChangeRunner(DbSession session, ConversationWriter writer, ConversationStore conversations)
{
    public async Task<TResult> RunAsync<TResult>(Actor actor, Change<TResult> change, CancellationToken ct)
    {
        if (session.InTransaction)
            return await writer.RunWithinAsync(session, change, ct);
        if (change.Place is null && writer.IsCrowded(change.ConversationId))
            await conversations.GetAsync(change.ConversationId, actor, ct);
        return await writer.RunAsync(change, ct);
    }
}
