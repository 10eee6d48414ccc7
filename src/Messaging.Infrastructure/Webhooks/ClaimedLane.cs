using System.Diagnostics;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>The deliveries of one webhook and one conversation, which this node alone goes through as long as its claim lasts.</summary>
/// <param name="Claim">Another one each time the lane is taken: results of an earlier claim are void.</param>
public sealed record ClaimedLane(Guid WebhookId, Guid Lane, long Claim)
{
    private long heard = Stopwatch.GetTimestamp();
    private long read = Stopwatch.GetTimestamp();
    private CalledWebhook? webhook;

    /// <summary>Who is called, as was read last; null for one that is disabled or deleted.</summary>
    public CalledWebhook? Webhook => Volatile.Read(ref webhook);

    /// <summary>For how long that has not been read again.</summary>
    public TimeSpan Unread => Stopwatch.GetElapsedTime(Volatile.Read(ref read));

    public List<WaitingDelivery> Deliveries { get; } = [];

    /// <summary>For how long it has been held since the database said so last.</summary>
    public TimeSpan Unheard => Stopwatch.GetElapsedTime(Volatile.Read(ref heard));

    public void Renewed(long at) => Volatile.Write(ref heard, at);

    /// <summary>Notes who is called.</summary>
    /// <param name="at">Before it was read.</param>
    public void Read(CalledWebhook? called, long at)
    {
        Volatile.Write(ref webhook, called);
        Volatile.Write(ref read, at);
    }
}

/// <summary>Where a webhook is called, and what calls are signed with.</summary>
public sealed record CalledWebhook(Guid Id, string Url, string Secret, string? PreviousSecret)
{
    public IReadOnlyList<string> Secrets => PreviousSecret is null ? [Secret] : [Secret, PreviousSecret];

    // A record would say the secrets.
    public override string ToString() => $"{nameof(CalledWebhook)} {Id}";
}

/// <summary>A delivery that waits.</summary>
public sealed record WaitingDelivery
{
    /// <summary>Which of the lanes that were asked for, counted from 1.</summary>
    public long No { get; init; }

    public Guid Id { get; init; }

    public string EventId { get; init; } = "";

    public byte[] Body { get; init; } = [];

    /// <summary>Those that failed.</summary>
    public int Tries { get; init; }

    public bool IsDue { get; init; }
}
