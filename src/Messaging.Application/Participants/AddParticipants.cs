using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>Lets people into a group: all of them or none. Those who are in already stay as they are.</summary>
/// <param name="Role">Admin or member, the latter when absent.</param>
public sealed record AddParticipants(Actor Actor, ConversationId ConversationId, IReadOnlyList<UserId> UserIds, ParticipantRole? Role)
    : ICommand<Page<ParticipantView>>;

/// <summary>Who came in, and who let them in.</summary>
public sealed record ParticipantChange(ParticipantView Participant, UserId? By);

public sealed class AddParticipantsValidator : AbstractValidator<AddParticipants>
{
    public AddParticipantsValidator()
    {
        RuleFor(c => c.UserIds).Must(ids => ids.Count is >= 1 and <= 1000 && ids.Distinct().Count() == ids.Count)
            .WithMessage("Between 1 and 1,000 users are expected, each named once.");
        RuleFor(c => c.Role).Must(role => role is not ParticipantRole.Owner)
            .WithMessage("The role is 'admin' or 'member'; a conversation has one owner.");
    }
}

public sealed class AddParticipantsHandler(
    DbSession session, ConversationStore conversations, InboxPlaceStore places, ParticipantViewStore people, MessageSender messages,
    PairStore pairs, Announcer announcer, Limits limits, IClock clock) : IRequestHandler<AddParticipants, Page<ParticipantView>>
{
    // Index: pk_participants, pk_bans.
    private const string StandingSql =
        """
        SELECT u.id AS user_id, p.user_id IS NOT NULL AND p.left_at IS NULL AS present, b.user_id IS NOT NULL AS banned,
            coalesce(p.stays_out_until > now(), false) AS stays_out
        FROM unnest(@UserIds::text[]) AS u (id)
        LEFT JOIN participants p ON p.conversation_id = @ConversationId AND p.user_id = u.id
        LEFT JOIN bans b ON b.conversation_id = @ConversationId AND b.user_id = u.id
        """;

    // Under the conversation's lock: nobody else is let in and no message is sent meanwhile, so one starts with nothing unread.
    // Somebody who was in before comes back with a new beginning, and with the own settings as they were.
    private const string AddSql =
        """
        INSERT INTO participants (conversation_id, user_id, role, joined_at, joined_seq, last_read_seq, last_delivered_seq, activity_day,
            cleared_seq)
        SELECT @ConversationId, u.id, @Role, @Now, c.last_seq, c.last_seq, c.last_seq, c.last_activity_day,
            CASE WHEN @SinceJoin THEN c.last_seq ELSE 0 END
        FROM conversations c, unnest(@UserIds::text[]) AS u (id)
        WHERE c.id = @ConversationId
        ON CONFLICT (conversation_id, user_id) DO UPDATE
        SET role = EXCLUDED.role, joined_at = EXCLUDED.joined_at, joined_seq = EXCLUDED.joined_seq, left_at = NULL, stays_out_until = NULL,
            last_read_seq = EXCLUDED.last_read_seq, last_delivered_seq = EXCLUDED.last_delivered_seq, activity_day = EXCLUDED.activity_day,
            cleared_seq = greatest(participants.cleared_seq, EXCLUDED.cleared_seq), hidden_seq = NULL
        """;

    public async Task<Page<ParticipantView>> Handle(AddParticipants command, CancellationToken ct)
    {
        var id = command.ConversationId;
        var (conversation, actor) = await conversations.GetForUpdateAsync(id, command.Actor, ct);
        conversation.EnsureGroup();
        var standing = (await session.QueryAsync<Standing>(
            StandingSql, new { ConversationId = id.Value, UserIds = command.UserIds.Select(user => user.Value).ToArray() }, ct)).ToDictionary(s => s.UserId);
        var added = command.UserIds.Where(user => !standing[user].Present).ToList();

        conversation.Add(actor, command.Role ?? ParticipantRole.Member, added.Count, limits.GroupSize);
        await conversations.EnsureKnownAsync(command.UserIds, i => $"userIds/{i}", ct);
        foreach (var user in command.UserIds.Where(user => standing[user].Banned))
            throw ParticipantErrors.Banned(PlaceOf(user), user);
        foreach (var user in added.Where(user => standing[user].StaysOut && !command.Actor.IsService))
            throw ParticipantErrors.LeftLately(PlaceOf(user), user);
        await pairs.EnsureMayAddAsync(command.Actor, added, PlaceOf, ct);

        if (added.Count > 0)
            await LetInAsync(conversation, command, added, ct);
        return new Page<ParticipantView>(await people.ListAsync(id, command.UserIds, ct), NextCursor: null);

        string PlaceOf(UserId user) => $"userIds/{command.UserIds.ToList().IndexOf(user)}";
    }

    private async Task LetInAsync(Conversation conversation, AddParticipants command, IReadOnlyList<UserId> added, CancellationToken ct)
    {
        var now = clock.GetCurrentInstant();
        await session.ExecuteAsync(
            AddSql,
            new
            {
                ConversationId = conversation.Id.Value,
                UserIds = added.Select(user => user.Value).ToArray(),
                Role = (command.Role ?? ParticipantRole.Member).ToString().ToLowerInvariant(),
                SinceJoin = conversation.Policy!.History is HistoryAccess.SinceJoin,
                Now = now,
            },
            ct);
        await places.AddAsync(conversation.Id, added, now, ct);
        await conversations.SaveAsync(conversation, now, ct);
        await announcer.ArrivalAsync(conversation.Id, command.Actor.UserId, added, ct);
        await messages.NoteAsync(conversation, new SystemNote("user-joined", command.Actor.UserId, added), ct);
    }

    private sealed record Standing(UserId UserId, bool Present, bool Banned, bool StaysOut);
}
