using Messaging.Application.Common;

namespace Messaging.Api.RateLimiting;

/// <summary><c>Messaging__RateLimits__*</c>: what one caller may do per minute, on all nodes together.</summary>
public sealed class RateLimitSettings : ISettings
{
    public static string Section => "Messaging:RateLimits";

    public bool Enabled { get; init; } = true;

    /// <summary>Messages sent, over REST and hub together.</summary>
    public int SendPerMinute { get; init; } = 120;

    /// <summary>Messages and edits that mention everybody or more than 10 people, of the sends: each notifies all of them.</summary>
    public int ManyMentionsPerMinute { get; init; } = 10;

    /// <summary>Requests of any kind.</summary>
    public int RequestsPerMinute { get; init; } = 1200;

    /// <summary>Logins of built-in accounts, by address.</summary>
    public int LogInsPerMinute { get; init; } = 30;

    /// <summary>Logins of devices that their accounts know, by address; strangers there do not use them up.</summary>
    public int LogInsOfDevicesPerMinute { get; init; } = 60;

    /// <summary>Tries to change the password, by user.</summary>
    public int PasswordChangesPerMinute { get; init; } = 10;

    /// <summary>Registrations, by address.</summary>
    public int RegistrationsPerMinute { get; init; } = 20;

    /// <summary>Registrations, by username.</summary>
    public int RegistrationsPerNameAndMinute { get; init; } = 10;

    /// <summary>Refreshes of logins, by address.</summary>
    public int RefreshesPerMinute { get; init; } = 300;

    /// <summary>Refreshes, by login.</summary>
    public int RefreshesPerLoginAndMinute { get; init; } = 10;

    /// <summary>From one address without a credential, outside <c>/v1</c>; as many again of <c>/health</c>.</summary>
    public int AddressPerMinute { get; init; } = 3000;

    /// <summary>Service keys and tokens from one address that nobody has given out.</summary>
    public int FailedCredentialsPerMinute { get; init; } = 60;

    /// <summary>
    /// Hub connections and event streams of a user that are open at the same time, on each node; all services together have ten times as
    /// many streams.
    /// </summary>
    public int ConnectionsPerUser { get; init; } = 20;

    public IEnumerable<string> Errors()
    {
        (string Name, int Value)[] quotas =
        [
            (nameof(SendPerMinute), SendPerMinute),
            (nameof(ManyMentionsPerMinute), ManyMentionsPerMinute),
            (nameof(RequestsPerMinute), RequestsPerMinute),
            (nameof(LogInsPerMinute), LogInsPerMinute),
            (nameof(LogInsOfDevicesPerMinute), LogInsOfDevicesPerMinute),
            (nameof(PasswordChangesPerMinute), PasswordChangesPerMinute),
            (nameof(RegistrationsPerMinute), RegistrationsPerMinute),
            (nameof(RegistrationsPerNameAndMinute), RegistrationsPerNameAndMinute),
            (nameof(RefreshesPerMinute), RefreshesPerMinute),
            (nameof(RefreshesPerLoginAndMinute), RefreshesPerLoginAndMinute),
            (nameof(AddressPerMinute), AddressPerMinute),
            (nameof(FailedCredentialsPerMinute), FailedCredentialsPerMinute),
            (nameof(ConnectionsPerUser), ConnectionsPerUser),
        ];
        return quotas.Where(quota => quota.Value < 1).Select(quota => $"{quota.Name}: at least 1 is expected.");
    }
}
