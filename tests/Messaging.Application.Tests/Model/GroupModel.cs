using Messaging.Domain.Common;
using Messaging.Domain.Participants;

namespace Messaging.Application.Tests.Model;

/// <summary>
/// A group as the contract describes it, kept in memory and written without a look at how the service does it: what each command is
/// answered, and what each user sees afterwards. Users are numbers.
/// </summary>
sealed class GroupModel
{
    private readonly Member[] members;
    private readonly List<Said> messages = [];
    private int joins;
    private bool closed;
    private bool archived;

    /// <param name="users">How many there are; the first <paramref name="founders"/> are in, the very first as owner.</param>
    public GroupModel(int users, int founders)
    {
        members = [.. Enumerable.Range(0, users)
            .Select(i => new Member { IsIn = i < founders, Role = i == 0 ? ParticipantRole.Owner : ParticipantRole.Member })];
        Say();
    }

    public bool PostingByAdmins { get; private set; }

    public bool AddingByAll { get; private set; }

    public bool SinceJoin { get; private set; }

    public long Last => messages.Count;

    public string Send(int who, IReadOnlyList<int> mentions, bool all)
    {
        if (!Is(who))
            return ProblemCodes.NotFound;
        if (NotWritable() is { } refusal)
            return refusal;
        if (PostingByAdmins && !Administers(who))
            return ProblemCodes.NotAllowed;
        if (!mentions.All(Is))
            return ProblemCodes.InvalidRequest;
        messages.Add(new Said { Sender = who, Mentions = [.. mentions], All = all });
        members[who].Read = Last;
        return "";
    }

    public string Note()
    {
        if (NotWritable() is { } refusal)
            return refusal;
        Say();
        return "";
    }

    public string Edit(int who, long seq, IReadOnlyList<int> mentions)
    {
        if (!Sees(who, seq))
            return ProblemCodes.NotFound;
        var message = messages[(int)seq - 1];
        if (NotWritable() is { } refusal)
            return refusal;
        if (message.Deleted)
            return ProblemCodes.MessageDeleted;
        if (message.Sender != who)
            return ProblemCodes.NotAllowed;
        if (!mentions.All(one => Is(one) || message.Mentions.Contains(one)))
            return ProblemCodes.InvalidRequest;
        (message.Mentions, message.All) = ([.. mentions], false);
        return "";
    }

    public string Delete(int who, long seq)
    {
        if (!Sees(who, seq))
            return ProblemCodes.NotFound;
        if (NotWritable() is { } refusal)
            return refusal;
        var message = messages[(int)seq - 1];
        if (!Administers(who) && message.Sender != who)
            return ProblemCodes.NotAllowed;
        (message.Deleted, message.Mentions, message.All) = (true, [], false);
        return "";
    }

    public string HideMessage(int who, long seq)
    {
        if (!Sees(who, seq))
            return ProblemCodes.NotFound;
        members[who].Hidden.Add(seq);
        return "";
    }

    public string Read(int who, long? seq)
    {
        if (!Is(who))
            return ProblemCodes.NotFound;
        members[who].Read = Math.Max(members[who].Read, Math.Min(seq ?? Last, Last));
        return "";
    }

    public string MarkUnread(int who, long seq)
    {
        if (!Is(who))
            return ProblemCodes.NotFound;
        if (seq <= members[who].Cleared || seq > Last)
            return ProblemCodes.InvalidRequest;
        members[who].Read = seq - 1;
        return "";
    }

    public string Add(int who, IReadOnlyList<int> users, bool asAdmins)
    {
        if (!Is(who))
            return ProblemCodes.NotFound;
        if (NotWritable() is { } refusal)
            return refusal;
        if ((asAdmins || !AddingByAll) && !Administers(who))
            return ProblemCodes.NotAllowed;
        if (users.Any(user => members[user].Banned))
            return ProblemCodes.Banned;
        var added = users.Where(user => !Is(user)).ToList();
        if (added.Any(user => members[user].WentByChoice))
            return ProblemCodes.NotAllowed;
        joins++;
        foreach (var user in added)
        {
            var member = members[user];
            (member.IsIn, member.Role, member.Joined, member.Read, member.LeftInbox) =
                (true, asAdmins ? ParticipantRole.Admin : ParticipantRole.Member, joins, Last, null);
            member.Cleared = SinceJoin ? Last : member.Cleared;
        }
        if (added.Count > 0)
            Say();
        return "";
    }

    public string Remove(int who, int target)
    {
        if (!Is(who) || !Is(target))
            return ProblemCodes.NotFound;
        if (MayNotRemove(who, target))
            return ProblemCodes.NotAllowed;
        Go(target);
        members[target].WentByChoice = who == target;
        return "";
    }

    public string Leave(int who)
    {
        if (!Is(who))
            return ProblemCodes.NotFound;
        Go(who);
        members[who].WentByChoice = true;
        return "";
    }

    public string Ban(int who, int target)
    {
        if (!Is(who))
            return ProblemCodes.NotFound;
        if (!Administers(who))
            return ProblemCodes.NotAllowed;
        if (who == target)
            return ProblemCodes.InvalidRequest;
        if (Is(target) && MayNotRemove(who, target))
            return ProblemCodes.NotAllowed;
        members[target].Banned = true;
        if (Is(target))
            Go(target);
        return "";
    }

    public string Unban(int who, int target)
    {
        if (!Is(who))
            return ProblemCodes.NotFound;
        if (!Administers(who))
            return ProblemCodes.NotAllowed;
        members[target].Banned = false;
        return "";
    }

    public string ChangeRole(int who, int target, ParticipantRole role)
    {
        if (!Is(who) || !Is(target))
            return ProblemCodes.NotFound;
        if (members[target].Role == role)
            return "";
        if (archived)
            return ProblemCodes.ConversationArchived;
        if (role is ParticipantRole.Owner ? members[who].Role is not ParticipantRole.Owner : !Administers(who))
            return ProblemCodes.NotAllowed;
        if (members[target].Role is ParticipantRole.Owner)
            return who == target ? ProblemCodes.LastOwner : ProblemCodes.NotAllowed;
        if (role is ParticipantRole.Owner)
            members[who].Role = ParticipantRole.Admin;
        members[target].Role = role;
        Say();
        return "";
    }

    public string HandOver(int who, int target) => !Is(who) ? ProblemCodes.NotFound
        : !Is(target) ? ProblemCodes.InvalidRequest
        : ChangeRole(who, target, ParticipantRole.Owner);

    public string Close(int who)
    {
        if (!Is(who))
            return ProblemCodes.NotFound;
        if (NotWritable() is { } refusal)
            return refusal;
        if (!Administers(who))
            return ProblemCodes.NotAllowed;
        Say();
        closed = true;
        return "";
    }

    public string Reopen(int who)
    {
        if (!Is(who))
            return ProblemCodes.NotFound;
        if (archived)
            return ProblemCodes.ConversationArchived;
        if (!Administers(who))
            return ProblemCodes.NotAllowed;
        var wasClosed = closed;
        closed = false;
        if (wasClosed)
            Say();
        return "";
    }

    public string Archive(int who, bool isArchived)
    {
        if (!Is(who))
            return ProblemCodes.NotFound;
        if (members[who].Role is not ParticipantRole.Owner)
            return ProblemCodes.NotAllowed;
        archived = isArchived;
        return "";
    }

    public string SetRules(int who, bool postingByAdmins, bool addingByAll, bool sinceJoin)
    {
        if (!Is(who))
            return ProblemCodes.NotFound;
        if (archived)
            return ProblemCodes.ConversationArchived;
        if (!Administers(who))
            return ProblemCodes.NotAllowed;
        (PostingByAdmins, AddingByAll, SinceJoin) = (postingByAdmins, addingByAll, sinceJoin);
        return "";
    }

    public string Settings(int who, bool? ownArchived, bool? starred, bool? muted)
    {
        if (!Is(who))
            return ProblemCodes.NotFound;
        var member = members[who];
        member.ArchivedAt = ownArchived is { } away ? away ? Last : null : member.ArchivedAt;
        member.Starred = starred ?? member.Starred;
        member.Muted = muted ?? member.Muted;
        return "";
    }

    public string Clear(int who, bool leavesInbox)
    {
        if (!Is(who))
            return ProblemCodes.NotFound;
        members[who].Cleared = Last;
        if (leavesInbox)
            members[who].LeftInbox = Last;
        return "";
    }

    /// <summary>All that a user sees, as one text; the same is made of the service's answers.</summary>
    public string See(int user)
    {
        if (!Is(user))
            return "nothing";
        var me = members[user];
        var unread = messages.Where((message, i) => Counts(user, message, i + 1)).ToList();
        var mentions = unread.Count(message => message.All || message.Mentions.Contains(user));
        var isArchived = me.ArchivedAt is { } at && (Last <= at || me.Muted);
        var isInInbox = me.LeftInbox is not { } left || Last > left;
        var people = members.Select((member, i) => (member, i)).Where(one => one.member.IsIn).Select(one => $"{one.i}:{one.member.Role}");
        var last = Last == 0 || Last <= me.Cleared || me.Hidden.Contains(Last)
            ? "none" : $"{Last}{(messages[^1].Deleted ? " deleted" : "")}";
        var seen = messages.Select((message, i) => (message, Seq: i + 1L)).Where(one => Sees(user, one.Seq))
            .Select(one =>
                $"{one.Seq}{(one.message.Deleted ? "x" : "")}"
                    + $"{(one.message.Mentions.Count > 0 ? "@" + string.Join(',', one.message.Mentions) : "")}");
        string[] filters =
        [
            .. isInInbox && !archived && !isArchived ? ["all"] : Array.Empty<string>(),
            .. isInInbox && !archived && !isArchived && unread.Count > 0 ? ["unread"] : Array.Empty<string>(),
            .. isInInbox && me.Starred ? ["starred"] : Array.Empty<string>(),
            .. isInInbox && (archived || isArchived) ? ["archived"] : Array.Empty<string>(),
        ];
        var badge = archived || isArchived ? "0 0 0 | 0 0 0"
            : me.Muted ? $"0 0 0 | {(unread.Count > 0 ? 1 : 0)} {unread.Count} {mentions}"
            : $"{(unread.Count > 0 ? 1 : 0)} {unread.Count} {mentions} | 0 0 0";
        return $"""
            people {string.Join(' ', people)}
            closed {closed} archived {archived} last {Last}: {last}
            me {me.Role} read {me.Read} cleared {me.Cleared} unread {unread.Count} mentions {mentions}
            archived {isArchived} starred {me.Starred} muted {me.Muted}
            inbox {string.Join(' ', filters)}
            badge {badge}
            history {string.Join(' ', seen)}
            """;
    }

    private bool Is(int user) => members[user].IsIn;

    private bool Administers(int user) => members[user].Role is not ParticipantRole.Member;

    private bool Sees(int user, long seq) => Is(user) && seq > members[user].Cleared && seq <= Last && !members[user].Hidden.Contains(seq);

    private bool Counts(int user, Said message, long seq) =>
        message.Sender is { } sender && sender != user && !message.Deleted && seq > Math.Max(members[user].Read, members[user].Cleared)
        && !members[user].Hidden.Contains(seq);

    private bool MayNotRemove(int who, int target) =>
        who != target && (!Administers(who) || members[target].Role is ParticipantRole.Owner);

    private string? NotWritable() => archived ? ProblemCodes.ConversationArchived : closed ? ProblemCodes.ConversationClosed : null;

    // What happens in a group is said in it, where anything can be said.
    private void Say()
    {
        if (!archived && !closed)
            messages.Add(new Said());
    }

    // The first admin follows an owner, else the longest member; the last one out ends it.
    private void Go(int user)
    {
        var wasOwner = members[user].Role is ParticipantRole.Owner;
        (members[user].IsIn, members[user].Role) = (false, ParticipantRole.Member);
        Say();
        var successor = members.Select((member, i) => (member, i)).Where(one => one.member.IsIn)
            .OrderBy(one => one.member.Role is ParticipantRole.Admin ? 0 : 1).ThenBy(one => one.member.Joined).ThenBy(one => one.i)
            .FirstOrDefault();
        if (wasOwner && successor.member is not null)
        {
            successor.member.Role = ParticipantRole.Owner;
            Say();
        }
        if (!members.Any(member => member.IsIn))
            closed = true;
    }

    private sealed class Member
    {
        public bool IsIn { get; set; }

        public ParticipantRole Role { get; set; }

        public int Joined { get; set; }

        public bool Banned { get; set; }

        /// <summary>Whether this one left: within a day nobody but the service brings that one back.</summary>
        public bool WentByChoice { get; set; }

        public long Read { get; set; }

        public long Cleared { get; set; }

        public long? ArchivedAt { get; set; }

        public long? LeftInbox { get; set; }

        public bool Starred { get; set; }

        public bool Muted { get; set; }

        public HashSet<long> Hidden { get; } = [];
    }

    // Without a sender it is a system message.
    private sealed class Said
    {
        public int? Sender { get; init; }

        public List<int> Mentions { get; set; } = [];

        public bool All { get; set; }

        public bool Deleted { get; set; }
    }
}
