using Messaging.Migrations;
using Npgsql;

namespace Messaging.Infrastructure.Database;

/// <summary>How the database stands just now, for readiness. Anybody may ask: all who do so within a second share one question.</summary>
public sealed class DatabaseHealth(NpgsqlDataSource database, TimeProvider time)
{
    private static readonly TimeSpan CacheTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private Task<SchemaVersion?>? latest;
    private long askedAt;

    /// <summary>How the schema stands to this release, or null when the database does not answer in time.</summary>
    public Task<SchemaVersion?> CheckAsync(CancellationToken ct)
    {
        lock (gate)
        {
            if (latest is null || (latest.IsCompleted && time.GetElapsedTime(askedAt) >= CacheTime))
                (latest, askedAt) = (Task.Run(AskAsync, CancellationToken.None), time.GetTimestamp());
            return latest.WaitAsync(ct);
        }
    }

    // Whoever asked first may go away; the others still wait.
    private async Task<SchemaVersion?> AskAsync()
    {
        using var timeout = new CancellationTokenSource(Timeout);
        try
        {
            return await SchemaVersion.CheckAsync(database, timeout.Token);
        }
        catch (Exception e) when (DatabaseFailures.IsAway(e) || e is OperationCanceledException)
        {
            return null;
        }
    }
}
