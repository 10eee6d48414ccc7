using Messaging.Migrations;
using Npgsql;

namespace Messaging.Infrastructure.Database;

/// <summary>How the database stands just now, for readiness.</summary>
public sealed class DatabaseHealth(NpgsqlDataSource database)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>The schema's state, or null when the database does not answer in time.</summary>
    public async Task<SchemaState?> CheckAsync(CancellationToken ct)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timeout.CancelAfter(Patience);
        try
        {
            return (await SchemaVersion.CheckAsync(database, timeout.Token)).State;
        }
        catch (Exception e) when (DatabaseFailures.IsAway(e) || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return null;
        }
    }
}
