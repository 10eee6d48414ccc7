using System.Text.Json.Nodes;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;

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

public sealed class EditMessageHandler(ChangeRunner changes, MessageReader views, IValidator<EditableContent> words, LimitSettings limits)
    : IRequestHandler<EditMessage, MessageView>
{
    public async Task<MessageView> Handle(EditMessage command, CancellationToken ct)
    {
        var seq = await changes.RunAsync(command.Actor, new EditChange(command, words, limits), ct);
        // Who has cleared it or gone by now has edited it all the same.
        return await views.GetOwnAsync(command.ConversationId, seq, command.Actor, ct);
    }

    private sealed class EditChange(EditMessage command, IValidator<EditableContent> words, LimitSettings limits)
        : StoredMessageChange<long>(command.Actor, command.ConversationId, command.MessageId, command.Versions)
    {
        public override int Size => 2 * ((command.Text.Value?.Length ?? 0) + (command.Metadata.Value?.Value.Length ?? 0));

        private IReadOnlyList<UserId> Mentioned => [.. (command.Mentions.Value ?? []).Distinct()];

        internal override void Require(ChangeSet set)
        {
            base.Require(set);
            set.Memberships.RequirePresent(ConversationId, Mentioned);
            set.Messages.RequireBody(Sought);
            if (command.Mentions.IsGiven)
                set.Memberships.RequireMembers(ConversationId);
        }

        protected override long DecideOn(ChangeSet set)
        {
            var (conversation, place, message) = Get(set);
            message.EnsureEditable(conversation, command.Actor, place?.Participant, set.Now);

            var before = WordsOf(message);
            var after = Apply(set, conversation, place?.Participant, before);
            // What changes nothing is no edit: one that is sent again is answered.
            if (Same(before, after))
                return message.Seq;

            var at = conversation.Next(set.Now);
            var edited = message.Edit(
                message.Body! with { Text = after.Text, Metadata = after.Metadata?.Value, Mentions = after.Mentions! }, at);
            conversation.EnsurePace(place?.Participant, set.Now);
            place?.Participant.Edited(at);
            set.Messages.Edit(ConversationId, edited, command.Actor.UserId, at);
            conversation.Show(message.Seq, new Preview(Previews.Of(after.Text), DeletedSeq: null));
            set.Raise(conversation, new MessageEdited(ConversationId), message.Seq, ValuesOf(conversation, message, edited));
            TellUnread(set, conversation, message, edited);
            return message.Seq;
        }

        // What the patch comes to is known only here, and the bounds hold for that. Whoever was mentioned may have left since.
        private EditableContent Apply(ChangeSet set, Conversation conversation, Participant? participant, EditableContent before)
        {
            var after = before with
            {
                Text = command.Text.Or(before.Text),
                Metadata = command.Metadata.IsGiven
                    ? MetadataRules.Patch(before.Metadata, command.Metadata.Value, limits) : before.Metadata,
                Mentions = command.Mentions.IsGiven ? Mentioned : before.Mentions,
            };
            var failures = words.Validate(after).Errors;
            if (failures.Count > 0)
            {
                throw new RuleException(
                    failures.ConvertAll(f => new Problem(ProblemCodes.InvalidRequest, f.ErrorMessage, MemberPath.Of(f.PropertyName))));
            }
            if (command.Mentions.IsGiven)
            {
                MentionRules.Ensure(
                    conversation, participant, Mentioned,
                    set.Memberships.PresentOf(ConversationId, Mentioned).Concat(before.Mentions!).ToHashSet());
            }
            return after;
        }

        private static MessageValues ValuesOf(Conversation conversation, StoredMessage before, StoredMessage after)
        {
            var (was, counts) = (before.Counted, after.Counted);
            IReadOnlyList<UserId> added = [.. counts.Except(was)];
            return MessageValues.Of(before) with
            {
                Mentioned = added.Count > 0 ? added : null,
                MentionCount = MentionRules.CountOf(added, conversation.ParticipantCount),
                Unmentioned = was.Except(counts).Any(),
            };
        }

        // Those for whom it is unread and whose mentions are one more or one less now.
        private void TellUnread(ChangeSet set, Conversation conversation, StoredMessage before, StoredMessage after)
        {
            var (was, counts) = (before.Counted.ToHashSet(), after.Counted.ToHashSet());
            if (was.SetEquals(counts))
                return;
            foreach (var member in set.Memberships.MembersOf(ConversationId).Where(m => m.HasUnread(before)))
            {
                if (Counts(was, member) != Counts(counts, member))
                    set.Raise(conversation, new UnreadChanged(ConversationId, member.UserId), seq: null, values: null);
            }
        }

        private static bool Counts(HashSet<UserId> counted, Participant member) =>
            counted.Contains(MentionRules.Everybody) || counted.Contains(member.UserId);
    }

    private static EditableContent WordsOf(StoredMessage message)
    {
        var body = message.Body!;
        return new(message.Type, body.Text, body.Metadata is null ? null : JsonText.OfStored(body.Metadata), body.Mentions);
    }

    private static bool Same(EditableContent before, EditableContent after) =>
        before.Text == after.Text && before.Mentions!.SequenceEqual(after.Mentions!)
        && JsonNode.DeepEquals(Node(before.Metadata), Node(after.Metadata));

    private static JsonNode? Node(JsonText? json) => json is { } text ? JsonNode.Parse(text.Value) : null;
}
