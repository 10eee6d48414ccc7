using Messaging.Application.Push;
using NodaTime;

namespace Messaging.Infrastructure.Push;

/// <summary>When what did not succeed is tried again.</summary>
public static class PushSchedule
{
    private static readonly Duration First = Duration.FromSeconds(5);
    private static readonly Duration Longest = Duration.FromMinutes(30);

    /// <summary>What becomes of a push after an attempt.</summary>
    /// <param name="chance">Between 0 and 1: those that failed together do not come back together.</param>
    public static SettledPush After(ClaimedPush push, PushOutcome outcome, Instant now, double chance)
    {
        var next = now + Pause(push.Attempts, outcome.RetryAfter, chance);
        var state = outcome.Result switch
        {
            PushResult.Sent => PushStates.Sent,
            PushResult.Bounced => PushStates.Bounced,
            PushResult.Retry when next < push.ExpiresAt => PushStates.Pending,
            _ => PushStates.Failed,
        };
        return new SettledPush(push, state)
        {
            Attempts = push.Attempts,
            NextAttemptAt = state == PushStates.Pending ? next : now,
            Error = outcome.Error,
            ProviderId = outcome.ProviderId,
        };
    }

    /// <summary>Not tried, and due again after a while.</summary>
    public static SettledPush Postponed(ClaimedPush push, Instant until) =>
        new(push, PushStates.Pending) { Attempts = push.Attempts - 1, NextAttemptAt = until };

    /// <summary>Not sent: there was nothing to send any more.</summary>
    public static SettledPush Withdrawn(ClaimedPush push, Instant now) =>
        new(push, PushStates.Withdrawn) { Attempts = push.Attempts - 1, NextAttemptAt = now };

    /// <summary>Not sent: its time was over, as after all nodes were down.</summary>
    public static SettledPush Expired(ClaimedPush push, Instant now) =>
        new(push, PushStates.Failed) { Attempts = push.Attempts - 1, NextAttemptAt = now, Error = "expired" };

    // 5, 10, 20 … seconds up to half an hour, a quarter more or less; never sooner than the provider asked.
    private static Duration Pause(int attempts, Duration? asked, double chance)
    {
        var doubled = First * Math.Pow(2, Math.Min(attempts - 1, 20));
        var pause = Duration.Min(doubled, Longest) * (0.75 + (chance / 2));
        return asked is { } least ? least + (pause * chance) : pause;
    }
}
