using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;

namespace Messaging.Application.Participants;

/// <summary>Lifts a ban: whoever it kept out can be let in again. Lifting what is not there changes nothing.</summary>
public sealed record UnbanParticipant(Actor Actor, ConversationId ConversationId, UserId UserId) : ICommand<Done>;

public sealed class UnbanParticipantHandler(DbSession session, ConversationStore conversations) : IRequestHandler<UnbanParticipant, Done>
{
    // Index: pk_bans.
    private const string UnbanSql =
        """
        DELETE FROM bans
        WHERE conversation_id = @ConversationId AND user_id = @UserId
        """;

    public async Task<Done> Handle(UnbanParticipant command, CancellationToken ct)
    {
        var (conversation, actor) = await conversations.GetForUpdateAsync(command.ConversationId, command.Actor, ct);
        conversation.EnsureGroup();
        actor?.EnsureAdministers();

        await session.ExecuteAsync(
            UnbanSql, new { ConversationId = command.ConversationId.Value, UserId = command.UserId.Value }, ct);
        return default;
    }
}
