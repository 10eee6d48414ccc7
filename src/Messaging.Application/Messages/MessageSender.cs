using System.Data.Common;
using System.Text.Json;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>
/// The one place where messages are sent, alone or as a conversation's first: one read for the decision, one statement for the write.
/// </summary>
public sealed class MessageSender(
    DbSession session, ConversationStore conversations, MessageViewStore views, RequestStore requests, AcceptanceStore acceptance,
    AttachmentStore attachments, FileUrls urls, OutboxSignal signal, PolicySettings policies, IClock clock)
{
    // The clock is the one that messages are given their time by, which slow mode counts from. Index: pk_conversations, pk_participants,
    // pk_users, pk_message_keys.
    private const string DecideSql =
        $"""
        SELECT {ConversationStore.StateColumns}, p.role, p.joined_at, p.joined_seq, p.last_sent_at, clock_timestamp() AS now,
            u.display_name, u.avatar_url, k.seq AS stored_seq, k.fingerprint,
            CASE WHEN cardinality(@Mentions::text[]) > 0 THEN ARRAY(
                SELECT m.user_id
                FROM participants m
                WHERE m.conversation_id = @ConversationId AND m.user_id = ANY(@Mentions::text[]) AND m.left_at IS NULL) END AS present
        FROM conversations c
        LEFT JOIN participants p ON p.conversation_id = @ConversationId AND p.user_id = @UserId AND p.left_at IS NULL
        LEFT JOIN users u ON u.id = @UserId
        LEFT JOIN message_keys k
            ON k.sender_id = coalesce(@UserId, '') AND k.conversation_id = @ConversationId AND k.client_key = @ClientMessageId
        WHERE c.id = @ConversationId AND (@UserId::text IS NULL OR p.user_id IS NOT NULL)
        """;

    // Locks the conversation row: two senders must not take the same seq, and time must rise with it. The version stands for all
    // that was decided on (members, state, policy): it is judged again on the row as it is once the lock is held. The key of a
    // retry clashes here (23505) and takes everything back. Every row but the conversation's is written under its lock.
    private const string SendSql =
        $"""
        WITH c AS (
            UPDATE conversations
            SET last_seq = last_seq + 1,
                event_no = event_no + 1,
                last_event_at = greatest(now(), (last_event_at AT TIME ZONE 'UTC' + interval '1 microsecond') AT TIME ZONE 'UTC'),
                last_activity_at = greatest(now(), (last_event_at AT TIME ZONE 'UTC' + interval '1 microsecond') AT TIME ZONE 'UTC'),
                prev_activity_day = last_activity_day,
                last_activity_day = (greatest(now(), (last_event_at AT TIME ZONE 'UTC' + interval '1 microsecond') AT TIME ZONE 'UTC')
                    AT TIME ZONE 'UTC')::date,
                last_message_id = @MessageId,
                last_message_type = @Type,
                last_message_sender = @UserId,
                last_message_text = @Preview
            WHERE id = @ConversationId AND version = @Version AND closed_at IS NULL AND archived_at IS NULL
            RETURNING last_seq, event_no, last_event_at AS sent_at, last_activity_day AS day, participant_count,
                last_activity_day IS DISTINCT FROM prev_activity_day AS first_of_day
        ),
        sent_key AS (
            INSERT INTO message_keys (sender_id, conversation_id, client_key, seq, created_at, fingerprint)
            SELECT coalesce(@UserId, ''), @ConversationId, @ClientMessageId, c.last_seq, c.sent_at, @Fingerprint
            FROM c
            WHERE @ClientMessageId::text IS NOT NULL
        ),
        message AS (
            INSERT INTO messages (conversation_id, seq, created_at, id, sender_id, type, text, metadata, mentions, client_message_id,
                reply_to_seq, location, reference)
            SELECT @ConversationId, c.last_seq, c.sent_at, @MessageId, @UserId, @Type, @Text, @Metadata::jsonb, nullif(@Mentions, ARRAY[]::text[]),
                @ClientMessageId, @ReplyToSeq, @Location::jsonb, @Reference::jsonb
            FROM c
        ),
        gap AS (
            INSERT INTO message_gaps (conversation_id, seq)
            SELECT @ConversationId, c.last_seq
            FROM c
            WHERE @Type = 'system'
        ),
        mention AS (
            INSERT INTO mentions (conversation_id, user_id, seq)
            SELECT @ConversationId, m.user_id, c.last_seq
            FROM c, unnest(@Mentioned::text[]) AS m (user_id)
        ),
        before AS (
            SELECT {UnreadSql.Messages} AS messages
            FROM participants p
            CROSS JOIN (SELECT c.last_seq - 1 AS last_seq FROM c) c
            WHERE p.conversation_id = @ConversationId AND p.user_id = @UserId
        ),
        own AS (
            UPDATE participants p
            SET last_read_seq = c.last_seq, last_delivered_seq = c.last_seq, last_read_at = c.sent_at, last_sent_at = c.sent_at,
                activity_day = c.day
            FROM c
            WHERE p.conversation_id = @ConversationId AND p.user_id = @UserId
        ),
        others AS (
            UPDATE participants p
            SET activity_day = c.day
            FROM c
            WHERE c.first_of_day AND p.conversation_id = @ConversationId AND p.user_id IS DISTINCT FROM @UserId AND p.left_at IS NULL
        ),
        sent_event AS (
            INSERT INTO outbox (occurred_at, conversation_id, event_no, seq, type, payload)
            SELECT c.sent_at, @ConversationId, c.event_no, c.last_seq, @SentEvent, @Payload::jsonb || jsonb_build_object(
                'seq', c.last_seq, 'recipientCount', c.participant_count - @SenderIsParticipant::int,
                'createdAt', to_char(c.sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
            FROM c
        ),
        at AS (
            SELECT c.last_seq, c.last_seq AS pointer, c.sent_at
            FROM c, before
            WHERE before.messages > 0
        ),
        mark AS (
            INSERT INTO read_marks (conversation_id, user_id, seq, at)
            SELECT @ConversationId, @UserId, at.pointer - 1, at.sent_at
            FROM at
            ON CONFLICT DO NOTHING
        ),
        unread_event AS (
            INSERT INTO outbox (occurred_at, conversation_id, user_id, type, payload)
            SELECT at.sent_at, @ConversationId, @UserId, @UnreadEvent, change.payload
            FROM at
            CROSS JOIN LATERAL ({UnreadSql.ChangedPayload}) change
        )
        SELECT last_seq AS seq, sent_at, participant_count
        FROM c
        """;

    public Task<SentMessage> SendAsync(Actor actor, ConversationId conversationId, MessageContent content, CancellationToken ct) =>
        SendAsync(actor, conversationId, content, locked: false, ct);

    /// <summary>Sends what another request carries as its member <paramref name="member"/>; refusals point there.</summary>
    public async Task<SentMessage> SendMemberAsync(
        Actor actor, ConversationId conversationId, MessageContent content, string member, CancellationToken ct)
    {
        try
        {
            return await SendAsync(actor, conversationId, content, ct);
        }
        catch (RuleException refusal)
        {
            throw refusal.Under(member);
        }
    }

    private async Task<SentMessage> SendAsync(
        Actor actor, ConversationId conversationId, MessageContent content, bool locked, CancellationToken ct)
    {
        var draft = content.ToDraft();
        var decided = await session.QuerySingleOrDefaultAsync<Decision>(
            DecideSql,
            new
            {
                ConversationId = conversationId.Value,
                UserId = actor.UserId?.Value,
                draft.ClientMessageId,
                Mentions = draft.Mentions.Select(id => id.Value).ToArray(),
            },
            ct) ?? throw CommonErrors.NotFound();
        if (decided.StoredSeq is { } stored)
        {
            return decided.Fingerprint.AsSpan().SequenceEqual(content.Fingerprint())
                ? new SentMessage(await views.GetAsync(conversationId, stored, actor, ct), Created: false)
                : throw MessageErrors.KeyReused();
        }
        var conversation = Conversation.Restore(conversationId, decided.ToState(policies));
        var participant = decided.ToParticipant(conversationId, actor);
        if (!locked && (conversation.NeedsLock(participant) || draft.HasAttachments))
            return await SendLockedAsync(actor, conversation, content, ct);
        var reply = draft.ReplyToId is { } replyTo
            ? await views.FindReplyAsync(conversationId, replyTo, actor, ct) ?? throw MessageErrors.NoSuchReply()
            : null;

        var message = Message.Compose(conversation, actor, participant, draft, decided.PresentUsers(), decided.Now);

        var files = draft.HasAttachments ? await attachments.GetUnusedAsync(conversationId, actor.RequireUser(), draft, ct) : [];
        var sender = actor.UserId is { } user ? new SenderView(user, decided.DisplayName, decided.AvatarUrl) : null;
        return new SentMessage(await WriteAsync(message, content, sender, reply, files, ct), Created: true);
    }

    /// <summary>
    /// Says in the conversation what happened to it, in the words of <c>metadata.event</c>. Within the transaction that did it, under the
    /// conversation's lock; nothing where nothing can be sent any more.
    /// </summary>
    public async Task NoteAsync(Conversation conversation, SystemNote note, CancellationToken ct)
    {
        if (conversation.IsClosed || conversation.IsArchived)
            return;
        var content = new MessageContent(Type: MessageType.System, Metadata: note.ToMetadata());
        var message = Message.Compose(
            conversation, Actor.Service, participant: null, content.ToDraft(), new HashSet<UserId>(), clock.GetCurrentInstant());
        await WriteAsync(message, content, sender: null, reply: null, files: [], ct);
    }

    // Slower by the round trips of a transaction, and by making others wait for all of them.
    private async Task<SentMessage> SendLockedAsync(Actor actor, Conversation conversation, MessageContent content, CancellationToken ct)
    {
        if (session.InTransaction)
            return await LockAndSendAsync();
        await session.BeginAsync(ct);
        var sent = await LockAndSendAsync();
        await session.CommitAsync(ct);
        return sent;

        async Task<SentMessage> LockAndSendAsync()
        {
            if (conversation.Request is RequestState.Unsent)
                return await AskAsync(actor, conversation.Id, content, ct);
            await conversations.LockAsync(conversation.Id, ct);
            return await SendAsync(actor, conversation.Id, content, locked: true, ct);
        }
    }

    // The first message between two who do not know each other: what stands between them is locked before the conversation.
    private async Task<SentMessage> AskAsync(Actor actor, ConversationId id, MessageContent content, CancellationToken ct)
    {
        var (other, standing) = await requests.LockPairAsync(id, actor.RequireUser(), ct);
        var (conversation, _) = await conversations.GetForUpdateAsync(id, actor, ct);
        var asks = conversation.Request is RequestState.Unsent && standing.Asks(policies.DirectMessages);
        if (conversation.Request is RequestState.Unsent && !asks)
            await acceptance.OpenAsync(id, ct);
        // Whoever writes into what the other one has opened has not heard of it.
        if (asks && other.HasOpened)
            await acceptance.ShowAsync(id, actor.RequireUser(), ct);
        var sent = await SendAsync(actor, id, content, locked: true, ct);
        if (asks)
            await requests.AskAsync(sent.Message, other, ct);
        return sent;
    }

    private async Task<MessageView> WriteAsync(
        Message message, MessageContent content, SenderView? sender, ReplyView? reply, IReadOnlyList<AttachmentRow> files, CancellationToken ct)
    {
        var view = new MessageView(
            message.Id, message.ConversationId, Seq: 0, message.Draft.Type, sender?.UserId, sender, message.Draft.Text, content.Metadata, content.Location,
            content.Reference, reply, message.Draft.Mentions, [.. files.Select(file => file.ToView(urls, UrlAudience.Caller))], Reactions: [],
            message.Draft.ClientMessageId, Pinned: false, EditCount: 0, EditedAt: null,
            Deleted: null, DeliveredCount: 0, ReadCount: 0, RecipientCount: 0, CreatedAt: default, Version: 1);
        try
        {
            var row = await session.QuerySingleOrDefaultAsync<SentRow>(
                SendSql,
                new
                {
                    ConversationId = message.ConversationId.Value,
                    UserId = sender?.UserId.Value,
                    SenderIsParticipant = sender is not null,
                    Version = message.ConversationVersion,
                    MessageId = message.Id.Value,
                    Type = message.Draft.Type.ToString().ToLowerInvariant(),
                    message.Draft.Text,
                    Preview = message.Draft.Text is null ? null : StrictText.First(message.Draft.Text, MessageViewStore.PreviewLength),
                    message.Draft.Metadata,
                    Location = message.Draft.Location is null ? null : JsonSerializer.Serialize(message.Draft.Location, MessagingJson.Options),
                    Reference = message.Draft.Reference is null ? null : JsonSerializer.Serialize(message.Draft.Reference, MessagingJson.Options),
                    Mentions = message.Draft.Mentions.Select(id => id.Value).ToArray(),
                    Mentioned = MentionRules.Counted(message.Draft.Mentions, message.Draft.Type, sender?.UserId).Select(id => id.Value).ToArray(),
                    message.Draft.ClientMessageId,
                    Fingerprint = message.Draft.ClientMessageId is null ? null : content.Fingerprint(),
                    ReplyToSeq = reply?.Seq,
                    Payload = JsonSerializer.Serialize(ForAll(message, view, files), MessagingJson.Options),
                    SentEvent = MessageEvents.New,
                    UnreadEvent = MessageEvents.UnreadChanged,
                },
                ct) ?? throw new ChangedMeanwhileException();
            if (files.Count > 0)
                await attachments.ClaimAsync(message.ConversationId, row.Seq, files, ct);
            session.AfterCommit(signal.Raise);
            return view with
            {
                Seq = row.Seq,
                CreatedAt = row.SentAt,
                RecipientCount = row.ParticipantCount - (sender is null ? 0 : 1),
            };
        }
        catch (DbException e) when (e.Violates("pk_message_keys"))
        {
            // A simultaneous retry was first: deciding again finds what it stored.
            throw new ChangedMeanwhileException(e);
        }
    }

    private MessageView ForAll(Message message, MessageView view, IReadOnlyList<AttachmentRow> files) => view with
    {
        ReplyTo = message.QuotesForAll ? view.ReplyTo : view.ReplyTo?.ToLink(),
        Attachments = files.Count == 0 ? view.Attachments : [.. files.Select(file => file.ToView(urls, UrlAudience.Everybody))],
    };

    private sealed record Decision(
        ConversationType Type, UserId? OwnerId, int ParticipantCount, long LastSeq, long Version, bool Closed, bool Archived, bool Blocked,
        RequestState? Request, JsonText? Policy, ParticipantRole? Role, Instant? JoinedAt, long? JoinedSeq, Instant? LastSentAt,
        Instant Now, string? DisplayName, string? AvatarUrl, long? StoredSeq, byte[]? Fingerprint, string[]? Present)
        : ConversationStore.StateRow(Type, OwnerId, ParticipantCount, LastSeq, Version, Closed, Archived, Blocked, Request, Policy)
    {
        public Participant? ToParticipant(ConversationId id, Actor actor) => Role is null
            ? null
            : new Participant(id, actor.UserId!.Value, Role.Value, JoinedAt!.Value, JoinedSeq!.Value) { LastSentAt = LastSentAt };

        public HashSet<UserId> PresentUsers() => [.. (Present ?? []).Select(id => new UserId(id))];
    }

    private sealed record SentRow(long Seq, Instant SentAt, int ParticipantCount);
}
