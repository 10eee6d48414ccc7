using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Participants;

/// <summary>
/// Empties one's own view of a conversation up to now, and leaves it where it is or takes it out of the inbox, until the next message.
/// One stays in it, and others keep what they see.
/// </summary>
/// <param name="Versions">Those of which the conversation must have one; any when null.</param>
public sealed record ClearHistory(Actor Actor, ConversationId ConversationId, bool LeavesInbox, IReadOnlyList<long>? Versions = null)
    : ICommand<Done>;

public sealed class ClearHistoryHandler(DbSession session, SettingsStore settings) : IRequestHandler<ClearHistory, Done>
{
    // Locks one's own participants row only: a message that is sent meanwhile is not cleared. Neither falls: whoever asked earlier may get the
    // row later, with the last seq of when it asked.
    private const string ClearSql =
        """
        UPDATE participants p
        SET cleared_seq = greatest(p.cleared_seq, c.last_seq),
            hidden_seq = CASE WHEN @LeavesInbox THEN greatest(p.hidden_seq, c.last_seq) ELSE p.hidden_seq END
        FROM conversations c
        WHERE c.id = @ConversationId AND p.conversation_id = @ConversationId AND p.user_id = @UserId AND p.left_at IS NULL
            AND (@Versions::bigint[] IS NULL OR c.version = ANY(@Versions))
        """;

    // Index: pk_participants.
    private const string IsThereSql =
        """
        SELECT EXISTS (
            SELECT FROM participants
            WHERE conversation_id = @ConversationId AND user_id = @UserId AND left_at IS NULL)
        """;

    public async Task<Done> Handle(ClearHistory command, CancellationToken ct)
    {
        var own = new
        {
            ConversationId = command.ConversationId.Value,
            UserId = command.Actor.RequireUser().Value,
            command.LeavesInbox,
            Versions = command.Versions?.ToArray(),
        };
        if (await session.ExecuteAsync(ClearSql, own, ct) == 0)
            throw await session.QuerySingleAsync<bool>(IsThereSql, own, ct) ? CommonErrors.VersionMismatch() : CommonErrors.NotFound();
        await settings.AnnounceAsync(command.ConversationId, command.Actor, recounts: true, ct);
        return default;
    }
}
