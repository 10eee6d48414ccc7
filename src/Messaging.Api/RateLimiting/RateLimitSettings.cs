namespace Messaging.Api.RateLimiting;

/// <summary><c>Messaging__RateLimits__*</c>: what one user may do per minute, on each node.</summary>
public sealed class RateLimitSettings
{
    public bool Enabled { get; init; } = true;

    /// <summary>Messages sent, over REST and hub together.</summary>
    public int SendPerMinute { get; init; } = 120;

    /// <summary>Requests of any kind.</summary>
    public int RequestsPerMinute { get; init; } = 1200;

    public IEnumerable<string> Errors()
    {
        if (SendPerMinute < 1)
            yield return $"{nameof(SendPerMinute)}: at least 1 is expected.";
        if (RequestsPerMinute < 1)
            yield return $"{nameof(RequestsPerMinute)}: at least 1 is expected.";
    }
}
