using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>Gives a member of a group another role; <c>owner</c> hands the group over.</summary>
public sealed record ChangeRole(Actor Actor, ConversationId ConversationId, UserId UserId, ParticipantRole Role) : ICommand<ParticipantView>;

public sealed class ChangeRoleHandler(
    DbSession session, ConversationStore conversations, ParticipantViewStore people, MessageSender messages, Announcer announcer, IClock clock)
    : IRequestHandler<ChangeRole, ParticipantView>
{
    // Under the conversation's lock. The owner until then stays an admin.
    private const string SaveSql =
        """
        UPDATE participants
        SET role = CASE WHEN user_id = @UserId THEN @Role ELSE 'admin' END
        WHERE conversation_id = @ConversationId AND left_at IS NULL AND (user_id = @UserId OR (user_id = @Former AND @Role = 'owner'))
        """;

    public async Task<ParticipantView> Handle(ChangeRole command, CancellationToken ct)
    {
        var id = command.ConversationId;
        var (conversation, actor) = await conversations.GetForUpdateAsync(id, command.Actor, ct);
        conversation.EnsureGroup();
        var target = await conversations.FindParticipantAsync(id, command.UserId, ct) ?? throw CommonErrors.NotFound();
        var former = conversation.OwnerId;

        if (target.Role != command.Role)
        {
            conversation.ChangeRole(actor, target, command.Role);

            await session.ExecuteAsync(
                SaveSql,
                new
                {
                    ConversationId = id.Value,
                    UserId = command.UserId.Value,
                    Role = command.Role.ToString().ToLowerInvariant(),
                    Former = former?.Value,
                },
                ct);
            await conversations.SaveAsync(conversation, clock.GetCurrentInstant(), ct);
            await AnnounceAsync(conversation, command, former, ct);
        }
        return (await people.ListAsync(id, [command.UserId], ct)).Single();
    }

    private async Task AnnounceAsync(Conversation conversation, ChangeRole command, UserId? former, CancellationToken ct)
    {
        var (by, isHandover) = (command.Actor.UserId, command.Role is ParticipantRole.Owner);
        await messages.NoteAsync(
            conversation,
            isHandover
                ? new SystemNote("owner-changed", by, [command.UserId])
                : new SystemNote("role-changed", by, [command.UserId], command.Role),
            ct);
        await announcer.RolesAsync(conversation.Id, by, isHandover && former is { } owner ? [command.UserId, owner] : [command.UserId], ct);
        if (isHandover)
            await announcer.ConversationAsync(new ConversationUpdated(conversation.Id), ct);
    }
}
