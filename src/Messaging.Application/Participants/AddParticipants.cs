using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
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
    DbSession session, ConversationStore conversations, ConversationViewStore views, ParticipantViewStore people, Outbox outbox, Limits limits,
    IClock clock)
    : IRequestHandler<AddParticipants, Page<ParticipantView>>
{
    // Index: pk_participants.
    private const string PresentSql =
        """
        SELECT user_id
        FROM participants
        WHERE conversation_id = @ConversationId AND user_id = ANY(@UserIds) AND left_at IS NULL
        """;

    // Under the conversation's lock: nobody else is let in and no message is sent meanwhile, so one starts with nothing unread.
    // Somebody who was in before comes back with a new beginning.
    private const string AddSql =
        """
        WITH c AS (
            UPDATE conversations
            SET participant_count = participant_count + cardinality(@UserIds::text[]), version = version + 1, updated_at = @Now
            WHERE id = @ConversationId
            RETURNING last_seq, last_activity_day
        )
        INSERT INTO participants (conversation_id, user_id, role, joined_at, joined_seq, last_read_seq, last_delivered_seq, activity_day)
        SELECT @ConversationId, u.id, @Role, @Now, c.last_seq, c.last_seq, c.last_seq, c.last_activity_day
        FROM c, unnest(@UserIds::text[]) AS u (id)
        ON CONFLICT (conversation_id, user_id) DO UPDATE
        SET role = EXCLUDED.role, joined_at = EXCLUDED.joined_at, joined_seq = EXCLUDED.joined_seq, left_at = NULL,
            last_read_seq = EXCLUDED.last_read_seq, last_delivered_seq = EXCLUDED.last_delivered_seq, activity_day = EXCLUDED.activity_day
        """;

    public async Task<Page<ParticipantView>> Handle(AddParticipants command, CancellationToken ct)
    {
        var (conversation, actor) = await conversations.GetForUpdateAsync(command.ConversationId, command.Actor, ct);
        var named = new { ConversationId = command.ConversationId.Value, UserIds = command.UserIds.Select(id => id.Value).ToArray() };
        var present = (await session.QueryAsync<string>(PresentSql, named, ct)).ToHashSet();
        var added = command.UserIds.Where(id => !present.Contains(id.Value)).ToList();

        conversation.Add(actor, added.Count, limits.GroupSize);
        await conversations.EnsureKnownAsync(command.UserIds, i => $"#/userIds/{i}", ct);

        if (added.Count > 0)
        {
            await session.ExecuteAsync(
                AddSql,
                new
                {
                    named.ConversationId,
                    UserIds = added.Select(id => id.Value).ToArray(),
                    Role = (command.Role ?? ParticipantRole.Member).ToString().ToLowerInvariant(),
                    Now = clock.GetCurrentInstant(),
                },
                ct);
        }
        var participants = await people.ListAsync(command.ConversationId, command.UserIds, ct);
        if (added.Count > 0)
            await AnnounceAsync(command, [.. participants.Where(view => added.Contains(view.UserId))], ct);
        return new Page<ParticipantView>(participants, NextCursor: null);
    }

    // The newcomers hear of the conversation itself, everybody of the newcomers.
    private async Task AnnounceAsync(AddParticipants command, IReadOnlyList<ParticipantView> added, CancellationToken ct)
    {
        var conversation = (await views.FindAsync(command.ConversationId, Actor.Service, ct))!;
        await outbox.AppendAsync<object>(
            [
                .. added.Select(view => new ConversationCreated(command.ConversationId, view.UserId)),
                .. added.Select(_ => new ParticipantAdded(command.ConversationId)),
            ],
            [.. added.Select(_ => conversation), .. added.Select(view => new ParticipantChange(view, command.Actor.UserId))],
            ct);
    }
}
