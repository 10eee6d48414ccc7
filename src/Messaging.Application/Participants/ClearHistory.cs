using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>
/// Empties one's own view of a conversation up to now, and leaves it where it is or takes it out of the inbox, until the next message.
/// One stays in it, and others keep what they see.
/// </summary>
/// <param name="Versions">Those of which the conversation must have one; any when null.</param>
public sealed record ClearHistory(Actor Actor, ConversationId ConversationId, bool LeavesInbox, IReadOnlyList<long>? Versions = null)
    : ICommand<Done>;

public sealed class ClearHistoryHandler(ChangeRunner changes) : IRequestHandler<ClearHistory, Done>
{
    public async Task<Done> Handle(ClearHistory command, CancellationToken ct)
    {
        await changes.RunAsync(command.Actor, new ClearChange(command), ct);
        return default;
    }

    // A message that is sent meanwhile is not cleared.
    private sealed class ClearChange(ClearHistory command) : OwnChange(command.ConversationId, command.Actor.RequireUser(), recounts: true)
    {
        protected override OwnStateValues Values { get; } = new() { Cleared = true };

        protected override OwnState Apply(OwnState state, Conversation conversation, ChangeSet set)
        {
            CommonErrors.EnsureVersion(command.Versions, conversation.Version);
            return state.Clear(conversation.LastSeq, command.LeavesInbox);
        }
    }
}
