using System.Text.Json.Nodes;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>Patches what a message says (RFC 7396): what is absent stays, null clears. What it said before is kept.</summary>
/// <param name="Versions">Those of which the message must have one; any when null.</param>
public sealed record EditMessage(
    Actor Actor,
    ConversationId ConversationId,
    MessageId MessageId,
    IReadOnlyList<long>? Versions,
    Optional<string> Text,
    Optional<JsonText?> Metadata,
    Optional<IReadOnlyList<UserId>> Mentions) : ICommand<MessageView>;

public sealed class EditMessageHandler(
    DbSession session, ConversationStore conversations, MessagePlaceStore places, MessageViewStore views, IValidator<MessageWords> validator,
    Outbox outbox, Limits limits, IClock clock) : IRequestHandler<EditMessage, MessageView>
{
    // Under the conversation's lock. The clock is the one that messages are given their time by. Index: pk_messages, pk_participants.
    private const string LoadSql =
        """
        SELECT m.text, m.metadata, m.mentions, m.edit_count, p.last_sent_at, clock_timestamp() AS now
        FROM messages m
        LEFT JOIN participants p ON p.conversation_id = @ConversationId AND p.user_id = @UserId AND p.left_at IS NULL
        WHERE m.conversation_id = @ConversationId AND m.seq = @Seq AND m.created_at = @CreatedAt
        """;

    // Index: pk_participants.
    private const string PresentSql =
        """
        SELECT user_id
        FROM participants
        WHERE conversation_id = @ConversationId AND user_id = ANY(@Users) AND left_at IS NULL
        """;

    // Under the conversation's lock. The first part reads the message as it was; slow mode counts from the edit on. Index: pk_messages,
    // pk_mentions, pk_participants, pk_conversations.
    private const string SaveSql =
        """
        WITH earlier AS (
            INSERT INTO message_edits (conversation_id, seq, version, text, metadata, edited_by, edited_at)
            SELECT @ConversationId, @Seq, version, text, metadata, @UserId, @Now
            FROM messages
            WHERE conversation_id = @ConversationId AND seq = @Seq AND created_at = @CreatedAt
        ),
        message AS (
            UPDATE messages
            SET text = @Text, metadata = @Metadata::jsonb, mentions = nullif(@Mentions, ARRAY[]::text[]), edit_count = edit_count + 1,
                edited_at = @Now, version = version + 1
            WHERE conversation_id = @ConversationId AND seq = @Seq AND created_at = @CreatedAt
        ),
        gone AS (
            DELETE FROM mentions
            WHERE conversation_id = @ConversationId AND user_id = ANY(@Uncounted) AND seq = @Seq
        ),
        paced AS (
            UPDATE participants
            SET last_sent_at = greatest(last_sent_at, clock_timestamp())
            WHERE conversation_id = @ConversationId AND user_id = @UserId AND left_at IS NULL
        ),
        come AS (
            INSERT INTO mentions (conversation_id, user_id, seq)
            SELECT @ConversationId, m.user_id, @Seq
            FROM unnest(@Counted::text[]) AS m (user_id)
        )
        UPDATE conversations
        SET last_message_text = @Preview
        WHERE id = @ConversationId AND last_seq = @Seq
        """;

    // Those for whom it is unread. Index: pk_participants.
    private const string ReadersSql =
        """
        SELECT user_id
        FROM participants
        WHERE conversation_id = @ConversationId AND left_at IS NULL AND NOT pending AND greatest(last_read_seq, cleared_seq) < @Seq
            AND user_id IS DISTINCT FROM @SenderId AND (@Everybody OR user_id = ANY(@Users))
        ORDER BY user_id
        """;

    public async Task<MessageView> Handle(EditMessage command, CancellationToken ct)
    {
        var id = command.ConversationId;
        var (conversation, participant) = await conversations.GetForUpdateAsync(id, command.Actor, ct);
        var message = await places.GetAsync(id, command.MessageId, command.Actor, ct);
        var now = clock.GetCurrentInstant();
        if (command.Versions?.Contains(message.Version) == false)
            throw CommonErrors.VersionMismatch();
        message.EnsureEditable(conversation, command.Actor, participant, now);

        var row = await LoadAsync(command, message, ct);
        var before = row.ToWords(message.Type);
        var after = await ApplyAsync(command, conversation, participant, before, ct);
        // What changes nothing is no edit: one that is sent again is answered.
        if (Same(before, after))
            return await views.GetAsync(id, message.Seq, command.Actor, ct);

        StoredMessage.EnsureEditsLeft(row.EditCount);
        conversation.EnsurePace(participant, row.LastSentAt, row.Now);
        await SaveAsync(command, message, before, after, now, ct);
        var edited = await views.GetAsync(id, message.Seq, command.Actor, ct);
        await outbox.AppendAsync(new MessageEdited(id), MessageValues.Of(edited), message.Seq, ct);
        await TellUnreadAsync(id, message, before, after, ct);
        return edited;
    }

    private Task<Row> LoadAsync(EditMessage command, StoredMessage message, CancellationToken ct) => session.QuerySingleAsync<Row>(
        LoadSql,
        new { ConversationId = command.ConversationId.Value, message.Seq, message.CreatedAt, UserId = command.Actor.UserId?.Value },
        ct);

    // What the patch comes to is known only here, and the bounds hold for that. Whoever was mentioned may have left since.
    private async Task<MessageWords> ApplyAsync(
        EditMessage command, Conversation conversation, Participant? participant, MessageWords before, CancellationToken ct)
    {
        var after = before with
        {
            Text = command.Text.Or(before.Text),
            Metadata = command.Metadata.IsGiven ? MetadataRules.Patch(before.Metadata, command.Metadata.Value, limits) : before.Metadata,
            Mentions = command.Mentions.IsGiven ? [.. (command.Mentions.Value ?? []).Distinct()] : before.Mentions,
        };
        var failures = validator.Validate(after).Errors;
        if (failures.Count > 0)
        {
            throw new RuleException(
                failures.ConvertAll(f => new Problem(ProblemCodes.InvalidRequest, f.ErrorMessage, JsonPointer.Of(f.PropertyName))));
        }
        if (command.Mentions.IsGiven)
        {
            var present = await session.QueryAsync<UserId>(
                PresentSql, new { ConversationId = conversation.Id.Value, Users = after.Mentions!.Select(user => user.Value).ToArray() }, ct);
            MentionRules.Ensure(conversation, participant, after.Mentions!, present.Concat(before.Mentions!).ToHashSet());
        }
        return after;
    }

    private async Task SaveAsync(
        EditMessage command, StoredMessage message, MessageWords before, MessageWords after, Instant now, CancellationToken ct)
    {
        var (was, counts) = (Counted(message, before), Counted(message, after));
        await session.ExecuteAsync(
            SaveSql,
            new
            {
                ConversationId = command.ConversationId.Value,
                message.Seq,
                message.CreatedAt,
                UserId = command.Actor.UserId?.Value,
                Now = now,
                after.Text,
                Metadata = after.Metadata?.Value,
                Mentions = after.Mentions!.Select(user => user.Value).ToArray(),
                Uncounted = was.Except(counts).Select(user => user.Value).ToArray(),
                Counted = counts.Except(was).Select(user => user.Value).ToArray(),
                Preview = after.Text is null ? null : StrictText.First(after.Text, MessageViewStore.PreviewLength),
            },
            ct);
    }

    // Those whose mentions are one more or one less now.
    private async Task TellUnreadAsync(ConversationId id, StoredMessage message, MessageWords before, MessageWords after, CancellationToken ct)
    {
        var (was, counts) = (Counted(message, before), Counted(message, after));
        var (wasAll, countsAll) = (was.Contains(MentionRules.Everybody), counts.Contains(MentionRules.Everybody));
        var named = was.Concat(counts).Distinct().ToList();
        if (named.Count == 0)
            return;
        var readers = await session.QueryAsync<UserId>(
            ReadersSql,
            new
            {
                ConversationId = id.Value,
                message.Seq,
                SenderId = message.SenderId?.Value,
                Everybody = wasAll || countsAll,
                Users = named.Select(user => user.Value).ToArray(),
            },
            ct);
        var told = readers.Where(reader => (wasAll || was.Contains(reader)) != (countsAll || counts.Contains(reader))).ToList();
        if (told.Count > 0)
            await outbox.AppendAsync(told.ConvertAll<IEvent>(reader => new UnreadChanged(id, reader)), told.ConvertAll(_ => (object?)null), ct);
    }

    private static IReadOnlyList<UserId> Counted(StoredMessage message, MessageWords words) =>
        MentionRules.Counted(words.Mentions!, message.Type, message.SenderId);

    private static bool Same(MessageWords before, MessageWords after) =>
        before.Text == after.Text && before.Mentions!.SequenceEqual(after.Mentions!)
        && JsonNode.DeepEquals(Node(before.Metadata), Node(after.Metadata));

    private static JsonNode? Node(JsonText? json) => json is { } text ? JsonNode.Parse(text.Value) : null;

    private sealed record Row(string? Text, JsonText? Metadata, string[]? Mentions, int EditCount, Instant? LastSentAt, Instant Now)
    {
        public MessageWords ToWords(MessageType type) => new(type, Text, Metadata, [.. (Mentions ?? []).Select(user => new UserId(user))]);
    }
}
