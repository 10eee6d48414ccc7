using System.Text.Json;
using FluentValidation;
using MediatR;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Reactions;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>
/// Deletes a message: for everyone, which leaves its place with nothing in it, or for oneself alone, which leaves it absent. One that is
/// deleted for everyone already stays as it is.
/// </summary>
/// <param name="Reason">Of a deletion for everyone; by who it was deleted when null.</param>
/// <param name="Versions">Those of which the message must have one; any when null.</param>
public sealed record DeleteMessage(
    Actor Actor, ConversationId ConversationId, MessageId MessageId, DeleteScope Scope, DeleteReason? Reason, IReadOnlyList<long>? Versions)
    : ICommand<Done>;

public sealed class DeleteMessageValidator : AbstractValidator<DeleteMessage>
{
    public DeleteMessageValidator() =>
        RuleFor(c => c.Reason).Null().When(c => c.Scope is DeleteScope.Me).WithMessage("What one deletes for oneself alone takes no reason.");
}

public sealed class DeleteMessageHandler(
    DbSession session, ConversationStore conversations, MessagePlaceStore places, MessageViewStore views, ReactionStore reactions,
    AttachmentStore attachments, PinStore pins, Outbox outbox, IClock clock) : IRequestHandler<DeleteMessage, Done>
{
    // Under the conversation's lock. The first part reads the message as it was. Index: pk_messages, pk_mentions, pk_conversations.
    private const string DeleteSql =
        """
        WITH original AS (
            INSERT INTO message_originals (conversation_id, seq, text, metadata, mentions, location, reference)
            SELECT @ConversationId, @Seq, text, metadata, mentions, location, reference
            FROM messages
            WHERE conversation_id = @ConversationId AND seq = @Seq AND created_at = @CreatedAt
            RETURNING mentions
        ),
        message AS (
            UPDATE messages
            SET text = NULL, metadata = NULL, mentions = NULL, location = NULL, reference = NULL, deleted_at = @Now, deleted_by = @UserId,
                deleted_reason = @Reason, version = version + 1
            WHERE conversation_id = @ConversationId AND seq = @Seq AND created_at = @CreatedAt
        ),
        gap AS (
            INSERT INTO message_gaps (conversation_id, seq, deletion)
            VALUES (@ConversationId, @Seq, @Deletion::jsonb)
            ON CONFLICT (conversation_id, seq) DO UPDATE SET deletion = EXCLUDED.deletion
        ),
        uncounted AS (
            DELETE FROM mentions
            WHERE conversation_id = @ConversationId AND seq = @Seq AND user_id IN (SELECT unnest(original.mentions) FROM original)
        )
        UPDATE conversations
        SET last_message_text = NULL, last_deleted_seq = @Seq
        WHERE id = @ConversationId AND last_seq = @Seq
        """;

    // Under the conversation's lock. What counted as unread is a gap of one's own from now on. Index: pk_message_gaps.
    private const string HideSql =
        """
        WITH hidden AS (
            INSERT INTO message_hidden (conversation_id, user_id, seq, hidden_at)
            VALUES (@ConversationId, @UserId, @Seq, @Now)
        ),
        gap AS (
            INSERT INTO participant_gaps (conversation_id, user_id, seq)
            VALUES (@ConversationId, @UserId, @Seq)
            ON CONFLICT DO NOTHING
            RETURNING seq
        ),
        mine AS (
            UPDATE participants p
            SET has_gaps = true
            WHERE p.conversation_id = @ConversationId AND p.user_id = @UserId
            RETURNING greatest(p.last_read_seq, p.cleared_seq) AS pointer
        )
        SELECT EXISTS (SELECT FROM gap) AND mine.pointer < @Seq AND @SenderId IS DISTINCT FROM @UserId AND NOT EXISTS (
            SELECT FROM message_gaps g
            WHERE g.conversation_id = @ConversationId AND g.seq = @Seq)
        FROM mine
        """;

    public async Task<Done> Handle(DeleteMessage command, CancellationToken ct)
    {
        var (conversation, participant) = await conversations.GetForUpdateAsync(command.ConversationId, command.Actor, ct);
        var message = await places.GetAsync(command.ConversationId, command.MessageId, command.Actor, ct);
        if (command.Versions?.Contains(message.Version) == false)
            throw CommonErrors.VersionMismatch();

        return command.Scope is DeleteScope.Me
            ? await HideAsync(command, conversation, message, ct)
            : await DeleteAsync(command, conversation, participant, message, ct);
    }

    private async Task<Done> DeleteAsync(
        DeleteMessage command, Conversation conversation, Participant? participant, StoredMessage message, CancellationToken ct)
    {
        var now = clock.GetCurrentInstant();
        message.EnsureDeletable(conversation, command.Actor, participant, now);
        if (message.IsDeleted)
            return default;

        var deleted = new DeletedView(now, command.Actor.UserId, command.Reason ?? message.ReasonOf(command.Actor));
        await session.ExecuteAsync(
            DeleteSql,
            new
            {
                ConversationId = conversation.Id.Value,
                message.Seq,
                message.CreatedAt,
                Now = now,
                UserId = command.Actor.UserId?.Value,
                Reason = deleted.Reason.ToString().ToLowerInvariant(),
                Deletion = JsonSerializer.Serialize(deleted, MessagingJson.Options),
            },
            ct);
        await reactions.ForgetAsync(conversation.Id, message.Seq, ct);
        await pins.ForgetAsync(conversation.Id, message.Seq, ct);
        await attachments.ReleaseAsync(conversation.Id, message.Seq, ct);
        var left = await views.GetAsync(conversation.Id, message.Seq, Actor.Service, ct);
        await outbox.AppendAsync(new MessageDeleted(conversation.Id), MessageValues.Of(left), message.Seq, ct);
        return default;
    }

    private async Task<Done> HideAsync(DeleteMessage command, Conversation conversation, StoredMessage message, CancellationToken ct)
    {
        var (user, now) = (command.Actor.RequireUser(), clock.GetCurrentInstant());
        var view = await views.GetAsync(conversation.Id, message.Seq, command.Actor, ct);
        var counted = await session.QuerySingleAsync<bool>(
            HideSql,
            new
            {
                ConversationId = conversation.Id.Value,
                UserId = user.Value,
                message.Seq,
                SenderId = message.SenderId?.Value,
                Now = now,
            },
            ct);
        var gone = new DeletedView(now, user, DeleteReason.User, DeleteScope.Me);
        await outbox.AppendAsync(new MessageDeleted(conversation.Id, user), MessageValues.Of(view) with { Deleted = gone }, message.Seq, ct);
        if (counted)
            await outbox.AppendAsync(new UnreadChanged(conversation.Id, user), (object?)null, ct);
        return default;
    }
}
