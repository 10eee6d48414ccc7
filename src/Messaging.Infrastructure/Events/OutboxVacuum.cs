using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Messaging.Infrastructure.Events;

/// <summary>Keeps the outbox short for the one who reads it from its beginning: autovacuum alone comes by once a minute.</summary>
public sealed class OutboxVacuum(DirectDataSource database, ILogger<OutboxVacuum> logger) : BackgroundService
{
    private const int EveryRows = 20_000;

    // Skips when somebody else is at it; a role that does not own the table gets a warning and leaves it to autovacuum.
    private const string VacuumSql = "VACUUM (TRUNCATE off, SKIP_LOCKED) outbox";

    private readonly SemaphoreSlim due = new(0, 1);
    private int rows;

    /// <summary>Counts rows that left the outbox; called by the sequencer alone.</summary>
    public void Count(int moved)
    {
        rows += moved;
        if (rows < EveryRows || due.CurrentCount > 0)
            return;
        rows = 0;
        due.Release();
    }

    public override void Dispose()
    {
        due.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, VacuumWhenDueAsync, stoppingToken);

    private async Task VacuumWhenDueAsync(CancellationToken ct)
    {
        await due.WaitAsync(ct);
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        await using var vacuum = new NpgsqlCommand(VacuumSql, connection);
        await vacuum.ExecuteNonQueryAsync(ct);
    }
}
