using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;

namespace Messaging.Application.Writing;

/// <summary>Where commands submit their changes: to the one writer, or to the transaction that is already open.</summary>
public sealed class ChangeRunner(DbSession session, ConversationWriter writer, ConversationStore conversations)
{
    public async Task<TResult> RunAsync<TResult>(Actor actor, Change<TResult> change, CancellationToken ct)
    {
        if (session.InTransaction)
            return (await writer.RunWithinAsync(session, [change], ct))[0];
        if (change.Place is null && writer.IsCrowded(change.ConversationId))
            await conversations.GetAsync(change.ConversationId, actor, ct);
        return await writer.RunAsync(change, ct);
    }

    /// <summary>Decides and writes changes to different conversations together, in the open transaction.</summary>
    public async Task RunTogetherAsync<TResult>(IReadOnlyList<Change<TResult>> changes, CancellationToken ct)
    {
        if (changes.Count > 0)
            await writer.RunWithinAsync(session, changes, ct);
    }
}
