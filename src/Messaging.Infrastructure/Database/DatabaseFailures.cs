using System.Data.Common;
using System.Net.Sockets;
using Messaging.Application.Common;
using Npgsql;

namespace Messaging.Infrastructure.Database;

/// <summary>Tells a database that is away or overloaded, where trying again helps, from a statement that is wrong.</summary>
public static class DatabaseFailures
{
    private const string IdleInTransactionSessionTimeout = "25P03";

    public static bool IsAway(Exception exception) => exception switch
    {
        // Not the server's word but the connection's: refused, cut, timed out, none free in the pool.
        PostgresException e => e.IsTransient || IsAway(e.SqlState),
        NpgsqlException => true,
        DbException e => e.IsTransient,
        ChangedMeanwhileException => true,
        SocketException => true,
        TimeoutException => true,
        _ => false,
    };

    /// <summary>
    /// Whether the server does not let in whoever asks: a wrong password or name, no right. It does not come right by waiting.
    /// </summary>
    public static bool IsRefusal(Exception exception) =>
        exception is PostgresException { SqlState: var state }
        && (state.StartsWith("28", StringComparison.Ordinal)
            || state is PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.InsufficientPrivilege);

    private static bool IsAway(string sqlState) =>
        sqlState is PostgresErrorCodes.QueryCanceled
            or PostgresErrorCodes.LockNotAvailable
            or PostgresErrorCodes.ReadOnlySqlTransaction
            or IdleInTransactionSessionTimeout
            or PostgresErrorCodes.InvalidCatalogName
        || sqlState.StartsWith("08", StringComparison.Ordinal)
        || sqlState.StartsWith("28", StringComparison.Ordinal)
        || sqlState.StartsWith("53", StringComparison.Ordinal)
        || sqlState.StartsWith("57P", StringComparison.Ordinal);
}
