using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>Keeps somebody out of a group until the ban is lifted, and puts that one out who is in.</summary>
public sealed record BanParticipant(Actor Actor, ConversationId ConversationId, UserId UserId) : ICommand<BannedParticipant>;

/// <summary>The ban as it stands.</summary>
/// <param name="Created">False where it was there already.</param>
public sealed record BannedParticipant(BanView Ban, bool Created);

/// <summary>Who is kept out, by whom and since when.</summary>
/// <param name="By">Null for the service.</param>
public sealed record BanView(SenderView User, SenderView? By, Instant CreatedAt);

public sealed class BanParticipantHandler(
    DbSession session, ConversationStore conversations, DepartureStore departures, BanStore bans, IClock clock)
    : IRequestHandler<BanParticipant, BannedParticipant>
{
    // Under the conversation's lock: nobody is let in meanwhile.
    private const string BanSql =
        """
        INSERT INTO bans (conversation_id, user_id, banned_by, created_at)
        VALUES (@ConversationId, @UserId, @By, @Now)
        ON CONFLICT (conversation_id, user_id) DO NOTHING
        """;

    public async Task<BannedParticipant> Handle(BanParticipant command, CancellationToken ct)
    {
        var (conversation, actor) = await conversations.GetForUpdateAsync(command.ConversationId, command.Actor, ct);
        var target = await conversations.FindParticipantAsync(command.ConversationId, command.UserId, ct);
        conversation.Ban(actor, command.UserId, target);
        await conversations.EnsureThereAsync(command.UserId, ct);

        var created = await session.ExecuteAsync(
            BanSql,
            new
            {
                ConversationId = command.ConversationId.Value,
                UserId = command.UserId.Value,
                By = command.Actor.UserId?.Value,
                Now = clock.GetCurrentInstant(),
            },
            ct) == 1;
        if (target is not null)
        {
            conversation.Leave(target, await departures.FindSuccessorAsync(conversation, command.UserId, ct));
            await departures.LeaveAsync(conversation, new Removal(command.UserId, command.Actor.UserId, Banned: true), ct);
        }
        return new BannedParticipant(await bans.GetAsync(command.ConversationId, command.UserId, ct), created);
    }
}
