using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Participants;

/// <summary>
/// Empties one's own view of a conversation up to now, and leaves it where it is or takes it out of the inbox, until the next message.
/// One stays in it, and others keep what they see.
/// </summary>
public sealed record ClearHistory(Actor Actor, ConversationId ConversationId, bool LeavesInbox) : ICommand<Done>;

public sealed class ClearHistoryHandler(DbSession session, SettingsStore settings) : IRequestHandler<ClearHistory, Done>
{
    // Locks one's own participants row only: a message that is sent meanwhile is not cleared.
    private const string ClearSql =
        """
        UPDATE participants p
        SET cleared_seq = c.last_seq, hidden_seq = CASE WHEN @LeavesInbox THEN c.last_seq ELSE p.hidden_seq END
        FROM conversations c
        WHERE c.id = @ConversationId AND p.conversation_id = @ConversationId AND p.user_id = @UserId AND p.left_at IS NULL
        """;

    public async Task<Done> Handle(ClearHistory command, CancellationToken ct)
    {
        var cleared = await session.ExecuteAsync(
            ClearSql,
            new { ConversationId = command.ConversationId.Value, UserId = command.Actor.RequireUser().Value, command.LeavesInbox },
            ct);
        if (cleared == 0)
            throw CommonErrors.NotFound();
        await settings.AnnounceAsync(command.ConversationId, command.Actor, recounts: true, ct);
        return default;
    }
}
