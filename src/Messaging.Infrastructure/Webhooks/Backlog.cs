namespace Messaging.Infrastructure.Webhooks;

/// <summary>What decides which deliveries are made for a webhook.</summary>
sealed record FollowingWebhook
{
    public Guid Id { get; init; }

    public string[] EventTypes { get; init; } = [];

    public string? ContextType { get; init; }

    public string[] UserIds { get; init; } = [];

    public DateTime CreatedAt { get; init; }

    /// <summary>Where the feed is read for it next; null while it is read together with the others.</summary>
    public long? Position { get; init; }

    /// <summary>Whether nothing more is made for it for now: it is disabled, or too much waits for it.</summary>
    public bool StaysBehind { get; init; }
}

/// <summary>How much may wait for a webhook before the rest is left in the feed.</summary>
static class Backlog
{
    /// <summary>First tries that failed in a row, those at the same time counted as one, from which on a webhook is only probed.</summary>
    public const int FailingFrom = 3;

    /// <summary>Deliveries that wait for a webhook that works, but more slowly than events come; then it is left behind.</summary>
    public const int Full = 200_000;

    /// <summary>The same for one that is only probed.</summary>
    public const int FullOfFailing = 2_000;

    /// <summary>More is made for a webhook that was left behind once fewer wait than this part of what is full.</summary>
    public const int ResumeDivisor = 2;

    /// <summary>Deliveries that are made in one transaction, unless a single event has more.</summary>
    public const int MadeAtOnce = 10_000;

    /// <summary>The same, by how much they tell.</summary>
    public const long BytesMadeAtOnce = 16 * 1024 * 1024;

    /// <summary>How many webhooks are looked at in one statement.</summary>
    public const int PageSize = 20;
}
