using System.Diagnostics;
using Messaging.Infrastructure.Events;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodaTime;
using Npgsql;

namespace Messaging.Infrastructure.Database;

/// <summary>
/// The time of the database, which is the same for all nodes: what is deleted, closed, ordered or limited does not depend on what a node's
/// own clock says. Asked for at start and every 10 s; in between this machine's counter of passing time goes on from there.
/// </summary>
/// <param name="database">Opened at the first question: the build, which writes the OpenAPI document, has none.</param>
/// <param name="wall">What is gone by before the database was asked for the first time.</param>
public sealed class DatabaseClock(Func<NpgsqlDataSource> database, TimeProvider wall, ILogger<DatabaseClock> logger) : BackgroundService, IClock
{
    private const string NowSql = "SELECT clock_timestamp()";

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    private Answer? last;

    // In microseconds, as timestamptz keeps them: what is answered before it was stored must equal what is read later.
    public Instant GetCurrentInstant()
    {
        var now = Volatile.Read(ref last) is { } answer
            ? answer.Time + Duration.FromTimeSpan(Stopwatch.GetElapsedTime(answer.Timestamp))
            : Instant.FromDateTimeOffset(wall.GetUtcNow());
        var ticks = now.ToUnixTimeTicks();
        return Instant.FromUnixTimeTicks(ticks - (ticks % 10));
    }

    /// <summary>Asks the database. Its answer is from half-way between question and answer, so wrong by half of their distance at most.</summary>
    public async Task AskAsync(CancellationToken ct)
    {
        await using var connection = await database().OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(NowSql, connection);
        var asked = Stopwatch.GetTimestamp();
        var time = Instant.FromDateTimeUtc((DateTime)(await command.ExecuteScalarAsync(ct))!);
        var answered = Stopwatch.GetTimestamp();
        Volatile.Write(ref last, new Answer(time, asked + ((answered - asked) / 2)));
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, AskAgainAsync, stoppingToken);

    private async Task AskAgainAsync(CancellationToken ct)
    {
        await Task.Delay(Every, ct);
        await AskAsync(ct);
    }

    private sealed record Answer(Instant Time, long Timestamp);
}
