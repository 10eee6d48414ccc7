using System.Data.Common;
using System.Globalization;
using Messaging.Application.Search;
using Messaging.Application.Writing;
using Npgsql;

namespace Messaging.Infrastructure.Database;

/// <summary>What we set on a connection beyond what the operator gave; what the operator gave always stands.</summary>
public static class ConnectionStrings
{
    // A paused process keeps its session and its row locks: the server ends what is idle within a transaction.
    private const string IdleTimeout = "-c idle_in_transaction_session_timeout=5000";

    // What works in the background comes again. What others would wait behind waits for less still, by its own SET.
    private const string DirectOptions = $"{IdleTimeout} -c lock_timeout=5000";

    // Just-in-time compilation, which the sum of many cheap index probes sets off, takes ten times as long as the probes; planning a
    // statement anew for its values takes longer than running it, and the plan is the same: by index, which here is read from memory.
    private const string RequestOptions =
        $"{IdleTimeout} -c statement_timeout=15000 -c jit=off -c plan_cache_mode=force_generic_plan -c random_page_cost=1.1";

    // The statements of one round trip see the database as it was at the first of them, so that a page's messages and what stands beside
    // them are of one moment. What only reads never fails by that.
    private const string OneMoment = @"-c default_transaction_isolation=repeatable\ read";

    /// <summary>
    /// For commands: bounded waits, statements prepared once they repeat. Many at once, since commits wait for the disk together; not more
    /// than leaves room for a second node and for operators among the 100 connections that PostgreSQL has unless told otherwise.
    /// </summary>
    public static string ForCommands(string given) => ForRequests(given, poolSize: 17, $"{RequestOptions} -c lock_timeout=5000");

    /// <summary>For what changes conversations: as many as there are batches on their way.</summary>
    public static string ForWrites(string given) => ForRequests(
        given, ConversationWriter.InFlight + ConversationWriter.Waits, $"{RequestOptions} -c lock_timeout=1000");

    /// <summary>
    /// For queries: few at once, the others wait their turn. A read that is in memory waits for a core only, and one more than there are
    /// cores keeps them busy; more would take turns in the middle of each other's work, which makes the slowest three times as slow. The
    /// cores meant are PostgreSQL's: a node that has more of its own does not take more than six.
    /// </summary>
    public static string ForQueries(string given) =>
        ForRequests(given, poolSize: Math.Clamp(Environment.ProcessorCount + 1, 3, 6), $"{RequestOptions} {OneMoment}");

    /// <summary>
    /// For searches, which may be anything: as many as the lane has places, and a shorter time for a statement. Nothing is prepared: their
    /// plans are made for what is looked for anyway, and a statement that is cut off while it is being prepared must leave nothing behind.
    /// </summary>
    public static string ForSearches(string given) => ForRequests(
        given, SearchLane.Places, $"{RequestOptions} {OneMoment} -c statement_timeout={(int)SearchLane.Longest.TotalMilliseconds}",
        ("Max Auto Prepare", "0"));

    // Nothing that a request runs leaves anything on its connection's session, so there is nothing to reset: seven statements, which are
    // parsed each time and cost as much as a read by key.
    private static string ForRequests(
        string given, int poolSize, string options, params ReadOnlySpan<(string Name, string Value)> others) => Complete(
        given,
        options,
        [
            ("Maximum Pool Size", poolSize.ToString(CultureInfo.InvariantCulture)),
            ("Command Timeout", "20"),
            ("No Reset On Close", "true"),
            .. others,
        ]);

    /// <summary>For the sequencer and listeners: few, lasting, and noticed when the network is cut.</summary>
    public static string ForDirectUse(string given) => Complete(
        given,
        DirectOptions,
        ("Maximum Pool Size", "15"),
        ("Keepalive", "10"));

    /// <summary>How many connections a node takes at most, by what for.</summary>
    /// <param name="direct">The string that leads past a pooler; the same one where there is none.</param>
    public static IReadOnlyList<PoolSize> OfANode(string main, string direct) =>
    [
        new("commands", SizeOf(ForCommands(main))),
        new("changes of conversations", SizeOf(ForWrites(main))),
        new("queries", SizeOf(ForQueries(main))),
        new("searches", SizeOf(ForSearches(main))),
        new("background work", SizeOf(ForDirectUse(direct))),
    ];

    private static int SizeOf(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString).MaxPoolSize;

    private static string Complete(string connectionString, string options, params ReadOnlySpan<(string Name, string Value)> settings)
    {
        var names = new DbConnectionStringBuilder { ConnectionString = connectionString }.Keys.Cast<string>()
            .Select(Plain)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        var result = new NpgsqlConnectionStringBuilder(connectionString);
        foreach (var (name, value) in (ReadOnlySpan<(string, string)>)
            [("Application Name", "messaging"), ("Timeout", "5"), ("Max Auto Prepare", "100"), ("Auto Prepare Min Usages", "2"),
                .. settings])
        {
            if (!names.Contains(Plain(name)))
                result[name] = value;
        }
        // One setting holds many, of which PostgreSQL takes the last of a name: what was given comes after ours.
        result.Options = $"{options} {result.Options}".TrimEnd();
        return result.ConnectionString;
    }

    // Npgsql takes 'Max Auto Prepare' and 'MaxAutoPrepare' alike.
    private static string Plain(string name) => name.Replace(" ", "", StringComparison.Ordinal);
}

/// <summary>The most connections that a pool of a node opens.</summary>
public sealed record PoolSize(string For, int Connections);
