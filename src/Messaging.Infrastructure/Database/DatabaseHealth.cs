using Messaging.Migrations;
using Npgsql;

namespace Messaging.Infrastructure.Database;

/// <summary>How the database stands just now, for readiness.</summary>
public sealed class DatabaseHealth(NpgsqlDataSource database)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How the schema stands to this release, or null when the database does not answer in time.</summary>
    public async Task<SchemaVersion?> CheckAsync(CancellationToken ct)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timeout.CancelAfter(Patience);
        try
        {
            return await SchemaVersion.CheckAsync(database, timeout.Token);
        }
        catch (Exception e) when (DatabaseFailures.IsAway(e) || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return null;
        }
    }
}
