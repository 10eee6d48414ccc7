using System.Globalization;
using System.Text;
using Messaging.Application.Participants;
using NodaTime;

namespace Messaging.Application.Notifications;

/// <summary>A message of which users may be notified.</summary>
public sealed record NotifyingMessage(Guid ConversationId, long Seq, Instant At, Guid Id, string? SenderId)
{
    private const string Everybody = "@all";

    /// <summary>Whom it mentions; of one that was edited, those alone whom it mentions since then.</summary>
    public IReadOnlyCollection<string> Mentioned { get; init; } = [];

    /// <summary>Whether it is no news but to those who are mentioned.</summary>
    public bool IsEdited { get; init; }

    public bool Mentions(string user) => Mentioned.Contains(user) || Mentioned.Contains(Everybody);
}

/// <summary>How a message concerns somebody.</summary>
public enum Concern
{
    None,
    Message,
    Mention,
}

/// <summary>Somebody who takes part in a conversation, with what decides of which messages they are notified.</summary>
public sealed record Recipient
{
    public required Guid ConversationId { get; init; }

    public required string UserId { get; init; }

    /// <summary>Up to which seq messages are hidden from the user.</summary>
    public long StartSeq { get; init; }

    public long LastReadSeq { get; init; }

    public NotificationLevel Level { get; init; }

    public bool IsMuted { get; init; }

    /// <summary>Whether pushes go to browsers.</summary>
    public bool Desktop { get; init; } = true;

    /// <summary>Whether pushes go to phones.</summary>
    public bool Mobile { get; init; } = true;

    public bool Sound { get; init; } = true;

    /// <summary>Messages that the user has deleted for themselves; null for none.</summary>
    public long[]? HiddenSeqs { get; init; }

    /// <summary>
    /// How a message concerns the user, unless they have blocked its sender. But for mentions, what is said while they look, have muted the
    /// conversation or have read on concerns them not.
    /// </summary>
    public Concern HowConcerned(NotifyingMessage message, bool isLooking)
    {
        if (Level is NotificationLevel.None || message.SenderId == UserId || message.Seq <= StartSeq
            || HiddenSeqs?.Contains(message.Seq) is true)
            return Concern.None;
        if (message.Mentions(UserId))
            return Concern.Mention;
        return !message.IsEdited && Level is NotificationLevel.All && !IsMuted && !isLooking && message.Seq > LastReadSeq
            ? Concern.Message : Concern.None;
    }
}

/// <summary>Where somebody's pushes go, and when not.</summary>
public sealed record PushTarget(IReadOnlyCollection<string> Platforms, QuietHoursView? QuietHours)
{
    public static readonly PushTarget None = new([], QuietHours: null);
}

/// <summary>A notification to be made: of one mention, or of other messages of a conversation.</summary>
/// <param name="MentionSeq">0 where it is of messages.</param>
/// <param name="Messages">In their order, at least one.</param>
public sealed record NotificationEntry(Recipient To, long MentionSeq, IReadOnlyList<NotifyingMessage> Messages)
{
    public NotifyingMessage Newest => Messages[^1];

    /// <summary>Mentions of what was read by then are listed, as read.</summary>
    public bool IsRead => MentionSeq > 0 && Newest.Seq <= To.LastReadSeq;

    /// <summary>Of which messages it is, as PostgreSQL writes ranges of seqs.</summary>
    public string Seqs()
    {
        var ranges = new StringBuilder("{");
        var first = Messages[0].Seq;
        for (var i = 0; i < Messages.Count; i++)
        {
            var seq = Messages[i].Seq;
            if (i + 1 < Messages.Count && Messages[i + 1].Seq == seq + 1)
                continue;
            ranges.Append(CultureInfo.InvariantCulture, $"{(ranges.Length > 1 ? "," : "")}[{first},{seq}]");
            first = i + 1 < Messages.Count ? Messages[i + 1].Seq : first;
        }
        return ranges.Append('}').ToString();
    }

    /// <summary>The entries for one user in one conversation.</summary>
    /// <param name="heard">What concerns the user there, in its order.</param>
    public static IEnumerable<NotificationEntry> Of(Recipient to, IReadOnlyList<(NotifyingMessage Message, Concern Concern)> heard)
    {
        List<NotifyingMessage> others = [.. heard.Where(one => one.Concern is Concern.Message).Select(one => one.Message)];
        if (others.Count > 0)
            yield return new NotificationEntry(to, 0, others);
        foreach (var (message, _) in heard.Where(one => one.Concern is Concern.Mention))
            yield return new NotificationEntry(to, message.Seq, [message]);
    }

    /// <summary>To what it is pushed, and when: at once, or at the end of the user's quiet hours.</summary>
    /// <param name="withoutDevice">Whether somebody brings pushes to users whatever devices are known.</param>
    public PushPlan? PlanOf(PushTarget target, bool isLooking, bool withoutDevice, Instant now)
    {
        var toWeb = To.Desktop && target.Platforms.Contains("web");
        var toMobile = To.Mobile && target.Platforms.Any(platform => platform != "web");
        var isPushed = !IsRead && !To.IsMuted && !isLooking
            && (toWeb || toMobile || (withoutDevice && (To.Desktop || To.Mobile)));
        return isPushed ? new PushPlan(toWeb, toMobile, target.QuietHours?.ToRule()?.EndOf(now) ?? now) : null;
    }
}

/// <summary>When a notification is pushed, and to which devices.</summary>
public sealed record PushPlan(bool ToWeb, bool ToMobile, Instant At);
