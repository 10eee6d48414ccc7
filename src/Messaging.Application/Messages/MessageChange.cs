using System.Text.Json;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Writing;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;

namespace Messaging.Application.Messages;

/// <summary>The outcome of sending a message.</summary>
/// <param name="Message">The stored message; null if it was not stored.</param>
/// <param name="StoredSeq">The seq of the message already stored under its key.</param>
/// <param name="Asks">Whether it is a first message that may have to be accepted: this is decided under the lock of the pair.</param>
public sealed record MessageOutcome(MessageView? Message, long? StoredSeq = null, bool Asks = false);

/// <summary>What decides whether the receiver has to accept a first message; the pair is locked.</summary>
public sealed record FirstContact(Relationship Pair, DirectMessages Policy);

/// <summary>Sends a message.</summary>
/// <param name="first">Set if it may be the first message between two strangers.</param>
public sealed class MessageChange(
    Actor actor, ConversationId conversationId, MessageContent content, FileUrls urls, FirstContact? first = null)
    : Change<MessageOutcome>(conversationId)
{
    private readonly MessageDraft draft = content.ToDraft();
    private readonly byte[]? fingerprint = content.ClientMessageId is null ? null : content.Fingerprint();

    public override int Size => 2 * ((draft.Text?.Length ?? 0) + (draft.Metadata?.Length ?? 0));

    private KeyOfMessage? Key => draft.ClientMessageId is { } key ? new(ConversationId, actor.UserId, key) : null;

    internal override void Require(ChangeSet set)
    {
        set.Memberships.RequireDay(ConversationId);
        if (actor.UserId is { } sender)
            set.Memberships.RequireSender(ConversationId, sender);
        set.Memberships.RequirePresent(ConversationId, draft.Mentions);
        if (Key is { } key)
            set.Sends.RequireKey(key);
        if (draft.ReplyToId is { } reply)
            set.Sends.RequireReply(new(ConversationId, actor.UserId, reply));
        if (draft.HasAttachments && actor.UserId is { } uploader)
            set.Sends.RequireFiles(ConversationId, uploader, draft.AttachmentIds!);
        if (first is not null)
            PairChange.RequireOfTwo(set, ConversationId);
    }

    protected override MessageOutcome DecideOn(ChangeSet set)
    {
        var (conversation, place) = set.Get(ConversationId, actor);
        if (Key is { } key && set.Sends.FindKey(key) is { } stored)
        {
            return stored.Fingerprint.AsSpan().SequenceEqual(fingerprint)
                ? new MessageOutcome(Message: null, stored.Seq)
                : throw MessageErrors.KeyReused();
        }
        var isFirst = place is not null && conversation.Request is RequestState.Unsent;
        if (isFirst && first is null)
            return new MessageOutcome(Message: null, Asks: true);
        var asks = isFirst && first!.Pair.Asks(first.Policy);
        var reply = draft.ReplyToId is { } replyTo
            ? set.Sends.FindReply(new(ConversationId, actor.UserId, replyTo)) ?? throw MessageErrors.NoSuchReply()
            : null;

        var message = Message.Compose(
            conversation, actor, place?.Participant, draft, set.Memberships.PresentOf(ConversationId, draft.Mentions), set.Now);
        var files = draft.HasAttachments ? FilesOf(set) : [];
        if (asks)
            first!.Pair.AskFirst(Guid.CreateVersion7(first.Pair.Now.ToDateTimeOffset()));
        else if (isFirst)
            PairChange.Open(set, conversation);

        var receiver = asks ? set.Memberships.MembersOf(ConversationId).Single(one => one.UserId != actor.UserId) : null;
        // Whoever writes into what the other one has opened has not heard of it.
        if (receiver is { HasOpened: true })
            set.Raise(conversation, new ConversationCreated(ConversationId, actor.UserId));
        var taken = conversation.DrawPosition(set.Now);
        var hadUnread = place?.Participant.Sent(taken) ?? false;
        var details = new MessageDetails
        {
            Attachments = [.. files.Select(file => file.ToView(urls, UrlAudience.Caller))],
            Saved = place is null ? null : false,
            RecipientCount = conversation.ParticipantCount - (place is null ? 0 : 1),
        };
        var view = MessageView.Of(
            message.Id, ConversationId, taken.Seq, draft.Type, actor.UserId, place?.User, draft.Text, content.Metadata, content.Location,
            content.Reference, reply, draft.Mentions, draft.ClientMessageId, taken.At, details);
        set.Add(new NewMessage(message, content, taken, reply, files, hadUnread, fingerprint, view.RecipientCount));
        if (receiver is not null)
            Await(set, conversation, receiver);
        return new MessageOutcome(view);
    }

    private static void Await(ChangeSet set, Conversation conversation, Participant receiver)
    {
        conversation.BeginRequest(receiver, set.Memberships.MembersOf(conversation.Id));
        // Who has opened it has it in the inbox, and there it is no more until it is accepted.
        if (receiver.HasOpened)
        {
            set.RaiseOwn(
                new ConversationDeleted(conversation.Id, receiver.UserId), new DeletedConversation(conversation.Id),
                conversation.LastEventAt);
        }
    }

    private IReadOnlyList<AttachmentRow> FilesOf(ChangeSet set)
    {
        var named = draft.AttachmentIds!;
        var rows = set.Sends.FindFiles(ConversationId, actor.RequireUser(), named);
        for (var i = 0; i < named.Count; i++)
        {
            var row = rows.FirstOrDefault(row => row.Id == named[i]) ?? throw AttachmentErrors.NoSuchAttachment(i);
            AttachmentRules.EnsureFits(draft.Type, row.Category, row.DurationMs, i);
        }
        return rows;
    }
}

/// <summary>A message to be written, and what is written with it.</summary>
/// <param name="HadUnread">Whether sending it marked other messages as read.</param>
/// <param name="RecipientCount">The number of its recipients.</param>
public sealed record NewMessage(
    Message Message, MessageContent Content, MessagePosition Position, ReplyView? Reply, IReadOnlyList<AttachmentRow> Files, bool HadUnread,
    byte[]? Fingerprint, int RecipientCount)
{
    public MessageId Id => Message.Id;

    public ConversationId ConversationId => Message.ConversationId;

    public UserId? Sender => Message.Sender.UserId;

    public MessageDraft Draft => Message.Draft;

    public KeyOfMessage? Key => Draft.ClientMessageId is { } key ? new(ConversationId, Sender, key) : null;

    public DateOnly Day => Position.At.InUtc().Date.ToDateOnly();

    public string Type => Draft.Type.ToString().ToLowerInvariant();

    public string? Preview => Previews.Of(Draft.Text);

    public string? Mentions => Draft.Mentions.Count == 0 ? null : string.Join(' ', Draft.Mentions);

    /// <summary>The users for whom it counts as a mention.</summary>
    public IReadOnlyList<UserId> Counted => MentionRules.Counted(Draft.Mentions, Draft.Type, Sender);

    public string? Location => Draft.Location is null ? null : JsonSerializer.Serialize(Draft.Location, MessagingJson.Options);

    /// <summary>The values that its event keeps from the time of sending, as JSON.</summary>
    public string EventValues
    {
        get
        {
            var silent = Content.Silent is true ? ",\"silent\":true" : "";
            var count = MentionRules.CountOf(Counted, RecipientCount);
            var mentions = count > 0 ? $",\"mentionCount\":{count}" : "";
            return $$"""{"recipientCount":{{RecipientCount}}{{silent}}{{mentions}}}""";
        }
    }

    public string? Reference => Draft.Reference is null ? null : JsonSerializer.Serialize(Draft.Reference, MessagingJson.Options);
}
