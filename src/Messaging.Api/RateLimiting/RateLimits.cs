namespace Messaging.Api.RateLimiting;

/// <summary>The budgets of callers, on all nodes together. The hub takes from the same ones as REST.</summary>
public sealed class RateLimits(RateLimitSettings settings, TimeProvider time, RateLimitExchange exchange)
{
    private const int ServiceFactor = 10;

    /// <summary>Connections to the hub and event streams that a user may have open at the same time.</summary>
    public int ConnectionsPerUser { get; } = settings.Enabled ? settings.ConnectionsPerUser : int.MaxValue;

    /// <summary>Event streams that all services together may have open at the same time.</summary>
    public int ConnectionsOfServices { get; } =
        settings.Enabled ? OfServices(settings.ConnectionsPerUser) : int.MaxValue;

    /// <summary>Requests of any kind, by caller.</summary>
    public RateLimitBudget Requests { get; } = new("requests", settings.RequestsPerMinute, settings.Enabled, time, exchange);

    /// <summary>Messages sent, by caller.</summary>
    public RateLimitBudget Send { get; } = new("send", settings.SendPerMinute, settings.Enabled, time, exchange);

    /// <summary>Mentions of everybody or of many, by caller, beside the sends.</summary>
    public RateLimitBudget ManyMentions { get; } = new("many-mentions", settings.ManyMentionsPerMinute, settings.Enabled, time, exchange);

    /// <summary>Requests outside the API, by address.</summary>
    public RateLimitBudget Address { get; } = new("address", settings.AddressPerMinute, settings.Enabled, time, exchange);

    /// <summary>Questions for the service's health, by address.</summary>
    public RateLimitBudget Health { get; } = new("health", settings.AddressPerMinute, settings.Enabled, time, exchange);

    /// <summary>Credentials that were no good, by address.</summary>
    public RateLimitBudget Credentials { get; } = new("credentials", settings.FailedCredentialsPerMinute, settings.Enabled, time, exchange);

    /// <summary>
    /// A budget beside those of every caller. Keep it for as long as the process runs: its counts are in it. The key is whatever is
    /// limited: <see cref="Security.CallerKeys"/> makes those of users and addresses.
    /// </summary>
    /// <param name="name">Told to clients; different from all others.</param>
    /// <param name="quota">Calls per key and minute, at least 1.</param>
    public RateLimitBudget Budget(string name, int quota) => new(name, quota, settings.Enabled, time, exchange);

    /// <summary>A service that acts as no user speaks for all of them, or syncs them: it gets a multiple of what a user may.</summary>
    public static int OfServices(int quota) => (int)Math.Min((long)quota * ServiceFactor, int.MaxValue);
}
