using Messaging.Application.Tests.Model;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using Messaging.Domain.Reactions;
using NodaTime;

namespace Messaging.Domain.Tests.Model;

/// <summary>A group in memory: decided by the aggregates, kept as the stores keep what they decide.</summary>
sealed class GroupProgram
{
    public const int Users = 5;

    private const int Founders = 3;
    private const int MarksUnread = 10;

    private static readonly string[] Emoji = ["👍", "🎉", "😀"];
    private static readonly UserId[] Ids = [.. Enumerable.Range(0, Users).Select(i => new UserId($"user-{i}"))];

    private readonly Conversation conversation;
    private readonly Place[] places;
    private readonly List<StoredMessage> messages = [];
    private readonly List<MessageReactions> reactions = [];
    private readonly HashSet<(long Seq, int User, string Emoji)> put = [];
    private readonly HashSet<long> pinned = [];
    private readonly Pins pins = new();
    private readonly List<EventPosition> told = [];
    private readonly GroupModel model = new(Users, Founders);
    private Instant now = Instant.FromUtc(2026, 11, 29, 10, 0);
    private Instant joined = Instant.FromUtc(2026, 11, 29, 9, 0);
    private int checkedEvents;

    public GroupProgram()
    {
        conversation = new Conversation(ConversationId.New(now), new ConversationState(
            ConversationType.Group, Ids[0], Founders, LastSeq: 0, Version: 1, Closed: false, Archived: false, Blocked: false, Request: null,
            Policy, EventNo: 0, LastEventAt: now, LastActivityDay: null));
        places = [.. Ids.Select(_ => new Place())];
        for (var i = 0; i < Founders; i++)
            LetIn(i, i == 0 ? ParticipantRole.Owner : ParticipantRole.Member);
        Note();
    }

    private static ConversationPolicy Policy { get; } = new(
        AllowedTo.Everyone, AllowedTo.Admins, AllowedTo.Admins, HistoryAccess.Full, SlowModeSeconds: 0, EditWindowSeconds: null,
        DeleteWindowSeconds: null, EditHistoryAccess.Everyone, new ReactionPolicy(ReactionMode.Many, Allowed: null), Receipts: true,
        AllowedTo.Everyone, RetentionDays: null);

    public void Run(IEnumerable<Step> steps)
    {
        foreach (var step in steps)
        {
            // Whatever the clock says.
            now += Duration.FromMilliseconds((step.Number % 7) - 2);
            var before = (Stands: Stands(), conversation.Version);
            var pointers = places.Select(place => (place.Pointers.LastReadSeq, place.Pointers.LastDeliveredSeq)).ToList();
            var (predicted, run, changes) = Of(step);
            Expect(CodeOf(run), predicted, "the answer", step);
            Expect(
                conversation.Version > before.Version, changes && predicted.Length == 0 && Stands() != before.Stands,
                "a version that rises with what changes the conversation, and with nothing else", step);
            for (var i = 0; i < Users; i++)
            {
                var (read, delivered) = (places[i].Pointers.LastReadSeq, places[i].Pointers.LastDeliveredSeq);
                var mayFall = step.Kind == MarksUnread && i == step.Who;
                Expect(
                    (read >= pointers[i].LastReadSeq || mayFall) && delivered >= pointers[i].LastDeliveredSeq && read <= delivered
                        && delivered <= conversation.LastSeq,
                    true, "pointers that go on, received before read", step);
                Expect(See(i), Part(model.See(i)), "what somebody sees", step);
            }
            Holds(step);
        }
    }

    // All that the version tells of.
    private string Stands() => string.Join(' ', places.Select(place => place.Participant?.Role.ToString() ?? "out"))
        + $" {conversation.OwnerId} {conversation.IsClosed} {conversation.IsArchived}";

    // What is predicted, what is done, and whether that is of the kind that the conversation's version tells of.
    private (string Predicted, Action Run, bool Changes) Of(Step step)
    {
        var (who, target, seq) = (step.Who, step.Target, (long)step.Number);
        // What is done to one message by several needs them to meet there.
        var (flag, few) = (step.Flag, 1 + (seq % 6));
        int[] mentions = step.Number % 3 == 0 ? [target] : [];
        var (role, emoji) = (flag ? ParticipantRole.Admin : ParticipantRole.Member, Emoji[target % Emoji.Length]);
        return step.Kind switch
        {
            <= 6 => (model.Send(who, mentions, all: false), () => Send(who, mentions), false),
            7 => (model.Note(), () => Send(null, []), false),
            8 => (model.Read(who, flag ? null : seq), () => In(who).Pointers.Read(flag ? null : seq, conversation.LastSeq), false),
            9 => (model.Read(who, 0), () => In(who).Pointers.Deliver(flag ? null : seq, conversation.LastSeq), false),
            MarksUnread => (model.MarkUnread(who, seq), () => MarkUnread(who, seq), false),
            11 or 12 => (model.Edit(who, seq, mentions), () => Edit(who, seq, mentions), false),
            13 or 14 => (model.Delete(who, seq), () => Delete(who, seq), false),
            15 => (model.HideMessage(who, seq), () => { Seen(who, seq); places[who].Hidden.Add(seq); }, false),
            16 => (model.Clear(who, flag), () => Own(who, own => own.Clear(conversation.LastSeq, flag)), false),
            17 => (model.Settings(who, flag, null, null), () => Own(who, own => own.Archive(flag, conversation.LastSeq)), false),
            18 => (model.Settings(who, null, flag, null), () => Own(who, own => own.Star(flag, now)), false),
            19 or 20 => (model.Add(who, [target], flag), () => Add(who, target, role), true),
            21 => (model.Remove(who, target), () => Remove(who, target), true),
            22 => (model.Leave(who), () => Remove(who, who), true),
            23 => (model.ChangeRole(who, target, role), () => ChangeRole(who, target, role), true),
            24 => (model.HandOver(who, target), () => HandOver(who, target), true),
            25 => (model.Close(who), () => Close(who), true),
            26 => (model.Reopen(who), () => Reopen(who), true),
            27 => (model.Archive(who, flag && seq > 20), () => conversation.Archive(In(who).Participant, flag && seq > 20), true),
            28 => (model.Ban(who, target), () => Ban(who, target), true),
            29 => (model.Unban(who, target), () => Unban(who, target), false),
            <= 33 => (PutNaively(who, few, emoji, flag), () => React(who, few, emoji, flag), false),
            _ => (PinNaively(who, few, flag), () => Pin(who, few, flag), false),
        };
    }

    private void Send(int? who, int[] mentions)
    {
        var place = who is { } user ? In(user) : null;
        var actor = who is { } sender ? new Actor(Ids[sender]) : Actor.Service;
        var draft = new MessageDraft(
            ClientMessageId: null, who is null ? MessageType.System : MessageType.Text, "hi", Metadata: null, ReplyToId: null,
            [.. mentions.Select(mention => Ids[mention])]);
        var message = Message.Compose(conversation, actor, place?.Participant, draft, Present(), now);
        var taken = conversation.DrawPosition(now);
        told.Add(new EventPosition(taken.EventNo, taken.At));
        messages.Add(new StoredMessage(message.Id, taken.Seq, actor.UserId, draft.Type, taken.At, IsDeleted: false, Version: 1)
        {
            Body = MessageBody.Empty with { Text = draft.Text, Mentions = draft.Mentions },
        });
        reactions.Add(new MessageReactions());
        place?.Participant!.Sent(taken);
    }

    private void MarkUnread(int who, long seq)
    {
        if (!In(who).Pointers.MarkUnread(seq, conversation.LastSeq))
            throw CommonErrors.Invalid("seq", "");
        Tell();
    }

    private void Edit(int who, long seq, int[] mentions)
    {
        var (message, place) = (Seen(who, seq), places[who]);
        message.EnsureEditable(conversation, new Actor(Ids[who]), place.Participant, now);
        UserId[] named = [.. mentions.Select(mention => Ids[mention])];
        MentionRules.Ensure(conversation, place.Participant, named, Present().Concat(message.Body!.Mentions).ToHashSet());
        messages[(int)seq - 1] = message.Edit(message.Body with { Mentions = named }, conversation.Next(now));
        Tell();
    }

    private void Delete(int who, long seq)
    {
        var (message, actor) = (Seen(who, seq), new Actor(Ids[who]));
        message.EnsureDeletable(conversation, actor, places[who].Participant, now);
        if (message.IsDeleted)
            return;
        messages[(int)seq - 1] = message.Delete(new Deletion(conversation.Next(now), Ids[who], message.ReasonOf(actor)));
        reactions[(int)seq - 1] = new MessageReactions();
        pins.Take(seq);
        pinned.Remove(seq);
        put.RemoveWhere(one => one.Seq == seq);
        Tell();
    }

    private void Own(int who, Func<OwnState, OwnState> change)
    {
        var place = In(who);
        place.Own = change(place.Own);
        place.Participant!.Change(place.Own);
    }

    private void Add(int who, int target, ParticipantRole role)
    {
        var (by, place) = (In(who).Participant, places[target]);
        var count = place.Participant is null ? 1 : 0;
        conversation.EnsureMayAdd(by, role, count, limit: Users);
        var newcomer = new Newcomer(
            Ids[target], IsKnown: true, TakesPart: count == 0, place.IsBanned, place.Lockout, WasInBefore: false, place.Own.ClearedSeq);
        Newcomer.EnsureWelcome([newcomer], new Actor(Ids[who]), now, _ => "userIds/0");
        if (count == 0)
            return;
        conversation.Add(by, role, [LetIn(target, role)], limit: Users);
        Note();
    }

    private void Ban(int who, int target)
    {
        var (by, place) = (In(who).Participant!, places[target]);
        conversation.EnsureMayBan(by, Ids[target], place.Participant);
        place.IsBanned = true;
        if (place.Participant is not null)
            Go(by, target);
    }

    private void Unban(int who, int target)
    {
        conversation.EnsureMayUnban(In(who).Participant);
        places[target].IsBanned = false;
    }

    private void Remove(int who, int target)
    {
        var by = In(who).Participant!;
        In(target);
        Go(by, target);
    }

    // Said of who went, then of who follows, where anything can be said.
    private void Go(Participant by, int target)
    {
        var others = places.Select(place => place.Participant).OfType<Participant>();
        var gone = places[target].Participant!;
        var successor = conversation.Remove(by, gone, others, now);
        (places[target].Participant, places[target].Lockout) = (null, gone.Lockout);
        Note();
        if (successor is not null)
            Note();
        conversation.EndIfEmpty(now);
    }

    private void ChangeRole(int who, int target, ParticipantRole role)
    {
        if (conversation.ChangeRole(In(who).Participant, In(target).Participant!, role, Owner))
            Note();
    }

    private void HandOver(int who, int target)
    {
        var by = In(who).Participant!;
        var next = places[target].Participant ?? throw ParticipantErrors.Absent("userId", Ids[target]);
        if (conversation.ChangeRole(by, next, ParticipantRole.Owner, Owner))
            Note();
    }

    // Said before nothing can be said any more.
    private void Close(int who)
    {
        var by = In(who).Participant;
        conversation.EnsureClosable(by);
        Note();
        conversation.Close(by, new Closure(conversation.Next(now), Ids[who], CloseReason.Manual, Note: null));
    }

    private void Reopen(int who)
    {
        if (conversation.Reopen(In(who).Participant))
            Note();
    }

    private void React(int who, long seq, string emoji, bool puts)
    {
        var (place, message) = (In(who), Seen(who, seq));
        conversation.EnsureOpenTo(place.Participant);
        message.EnsureNotDeleted();
        var on = reactions[(int)seq - 1];
        var moves = puts ? on.React(conversation.Policy.Reactions, Ids[who], emoji, conversation.Next(now)) : on.Unreact(Ids[who], emoji);
        foreach (var move in moves)
            Tell();
    }

    private void Pin(int who, long seq, bool puts)
    {
        var (place, message) = (In(who), Seen(who, seq));
        conversation.EnsureMayPin(place.Participant);
        message.EnsureNotDeleted();
        if (puts ? pins.Put(seq, new Pin(Ids[who], conversation.Next(now))) : pins.Take(seq))
            Tell();
    }

    // Naively: who has put what, and what is pinned.
    private string PutNaively(int who, long seq, string emoji, bool puts)
    {
        if (NotOn(who, seq) is { } refusal)
            return refusal;
        if (puts)
            put.Add((seq, who, emoji));
        else
            put.Remove((seq, who, emoji));
        return "";
    }

    private string PinNaively(int who, long seq, bool puts)
    {
        if (NotOn(who, seq) is { } refusal)
            return refusal == ProblemCodes.MessageDeleted && !Administers(who) ? ProblemCodes.NotAllowed : refusal;
        if (!Administers(who))
            return ProblemCodes.NotAllowed;
        if (puts)
            pinned.Add(seq);
        else
            pinned.Remove(seq);
        return "";
    }

    private bool Administers(int who) => places[who].Participant!.Role is not ParticipantRole.Member;

    private string? NotOn(int who, long seq) =>
        !IsSeen(who, seq) ? ProblemCodes.NotFound
        : conversation.IsArchived ? ProblemCodes.ConversationArchived
        : conversation.IsClosed ? ProblemCodes.ConversationClosed
        : messages[(int)seq - 1].IsDeleted ? ProblemCodes.MessageDeleted
        : null;

    private Participant LetIn(int user, ParticipantRole role)
    {
        var place = places[user];
        joined += Duration.FromSeconds(1);
        place.Participant = conversation.NewParticipant(Ids[user], role, joined);
        place.Pointers = place.Participant.Pointers;
        place.Participant.Change(place.Own);
        return place.Participant;
    }

    // What happened is said, where anything can be said.
    private void Note()
    {
        if (!conversation.IsArchived && !conversation.IsClosed)
            Send(null, []);
    }

    private void Tell() => told.Add(conversation.DrawEventPosition(now));

    private Participant? Owner => places.Select(place => place.Participant).FirstOrDefault(one => one?.Role is ParticipantRole.Owner);

    private HashSet<UserId> Present() => [.. places.Select(place => place.Participant).OfType<Participant>().Select(one => one.UserId)];

    private Place In(int who) => places[who].Participant is null ? throw CommonErrors.NotFound() : places[who];

    private bool IsSeen(int who, long seq) => places[who].Participant is not null && seq <= messages.Count
        && new Visibility(places[who].Own.ClearedSeq).Shows(seq, places[who].Hidden.Contains(seq));

    private StoredMessage Seen(int who, long seq) => IsSeen(who, seq) ? messages[(int)seq - 1] : throw CommonErrors.NotFound();

    // In the words of the model, as far as aggregates tell.
    private string See(int user)
    {
        if (places[user].Participant is not { } me)
            return "nothing";
        var own = me.Own;
        var unread = messages
            .Where(message => message.Counts && me.HasUnread(message) && !places[user].Hidden.Contains(message.Seq)).ToList();
        var mentions = unread.Count(message => message.Counted.Contains(Ids[user]) || message.Counted.Contains(MentionRules.Everybody));
        var people = places.Select((place, i) => (place.Participant, i)).Where(one => one.Participant is not null)
            .Select(one => $"{one.i}:{one.Participant!.Role}");
        var seen = messages.Where(message => IsSeen(user, message.Seq))
            .Select(message => $"{message.Seq}{(message.IsDeleted ? "x" : "")}" + Named(message));
        var mine = $"archived {own.IsArchived(conversation.LastSeq, now)} starred {own.StarredAt is not null}";
        return $"""
            people {string.Join(' ', people)}
            closed {conversation.IsClosed} archived {conversation.IsArchived} last {conversation.LastSeq}
            me {me.Role} read {me.Pointers.LastReadSeq} cleared {own.ClearedSeq} unread {unread.Count} mentions {mentions}
            {mine}
            history {string.Join(' ', seen)}
            """;

        static string Named(StoredMessage message) =>
            message.Body!.Mentions is { Count: > 0 } named ? "@" + string.Join(',', named.Select(one => Array.IndexOf(Ids, one))) : "";
    }

    // The lines of the model that do not depend on the inbox.
    private static string Part(string seen) => string.Join('\n', seen.Split('\n')
        .Where(line => !line.StartsWith("inbox", StringComparison.Ordinal) && !line.StartsWith("badge", StringComparison.Ordinal))
        .Select(line => line.StartsWith("closed", StringComparison.Ordinal) ? line[..line.IndexOf(':', StringComparison.Ordinal)] : line)
        .Select(line => line.Split(" muted")[0]));

    private void Holds(Step step)
    {
        var members = places.Select(place => place.Participant).OfType<Participant>().ToList();
        var owner = members.SingleOrDefault(member => member.Role is ParticipantRole.Owner);
        Expect((conversation.LastSeq, messages[^1].Seq), (messages.Count, messages.Count), "seqs without gaps", step);
        for (; checkedEvents < told.Count; checkedEvents++)
        {
            var (no, at) = told[checkedEvents];
            Expect(no, checkedEvents + 1L, "numbers of events without gaps", step);
            Expect(checkedEvents == 0 || told[checkedEvents - 1].At < at, true, "times of events that rise", step);
        }
        Expect(conversation.EventNo, told.Count, "the number of the newest event", step);
        Expect(conversation.ParticipantCount, members.Count, "the count of members", step);
        Expect((conversation.OwnerId, owner is null), (owner?.UserId, members.Count == 0), "one owner while somebody is in", step);
        var groups = reactions.SelectMany((on, i) => on.ChangedGroups.Select(group => (Seq: i + 1L, Group: group))).ToList();
        Expect(groups.TrueForAll(one => one.Group.Count == one.Group.First.Count && one.Group.Count > 0), true, "reactions counted", step);
        var reacted = groups.SelectMany(one => one.Group.First.Select(user => (one.Seq, Array.IndexOf(Ids, user), one.Group.Emoji)));
        Expect(put.SetEquals(reacted), true, "the reactions that were put", step);
        Expect(pinned.SetEquals(messages.Select(one => one.Seq).Where(seq => pins.Of(seq) is not null)), true, "what is pinned", step);
    }

    private static string CodeOf(Action run)
    {
        try
        {
            run();
            return "";
        }
        catch (RuleException refusal)
        {
            return refusal.Problem.Code;
        }
    }

    // No assertion of the test's own: which program breaks it is told by the one who shrinks it.
    private static void Expect<T>(T actual, T expected, string what, Step step)
    {
        if (!EqualityComparer<T>.Default.Equals(actual, expected))
            throw new InvalidOperationException($"{what}, after {step}: expected\n{expected}\nbut was\n{actual}");
    }

    private sealed class Place
    {
        /// <summary>Null for who is out.</summary>
        public Participant? Participant { get; set; }

        /// <summary>Those of the newest membership.</summary>
        public Pointers Pointers { get; set; } = new(0, 0, isPending: false, showsReads: true, clearedSeq: 0);

        public OwnState Own { get; set; } = OwnState.Unchanged;

        public HashSet<long> Hidden { get; } = [];

        public bool IsBanned { get; set; }

        public Lockout? Lockout { get; set; }
    }
}
