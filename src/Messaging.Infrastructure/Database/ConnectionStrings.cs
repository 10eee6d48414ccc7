using System.Data.Common;
using Npgsql;

namespace Messaging.Infrastructure.Database;

/// <summary>What we set on a connection beyond what the operator gave; what the operator gave always stands.</summary>
public static class ConnectionStrings
{
    // A paused process keeps its session and its row locks: the server ends what is idle within a transaction.
    private const string IdleTimeout = "-c idle_in_transaction_session_timeout=5000";

    /// <summary>For requests: bounded waits, statements prepared once they repeat.</summary>
    public static string ForRequests(string given) => Complete(
        given,
        ("Maximum Pool Size", "40"),
        ("Command Timeout", "20"),
        // Just-in-time compilation, which the sum of many cheap index probes sets off, takes ten times as long as the probes.
        ("Options", $"{IdleTimeout} -c statement_timeout=15000 -c jit=off"));

    /// <summary>For the sequencer and listeners: few, lasting, and noticed when the network is cut.</summary>
    public static string ForDirectUse(string given) => Complete(
        given,
        ("Maximum Pool Size", "10"),
        ("Keepalive", "10"),
        ("Options", IdleTimeout));

    private static string Complete(string given, params ReadOnlySpan<(string Name, string Value)> settings)
    {
        var names = new DbConnectionStringBuilder { ConnectionString = given }.Keys.Cast<string>()
            .Select(Plain)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        var result = new NpgsqlConnectionStringBuilder(given);
        foreach (var (name, value) in (ReadOnlySpan<(string, string)>)
            [("Application Name", "messaging"), ("Timeout", "5"), ("Max Auto Prepare", "100"), ("Auto Prepare Min Usages", "2"), .. settings])
        {
            if (!names.Contains(Plain(name)))
                result[name] = value;
        }
        return result.ConnectionString;
    }

    // Npgsql takes 'Max Auto Prepare' and 'MaxAutoPrepare' alike.
    private static string Plain(string name) => name.Replace(" ", "", StringComparison.Ordinal);
}
