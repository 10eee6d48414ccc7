using System.Diagnostics;
using Messaging.Infrastructure.Cluster;
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
public sealed class DatabaseClock(Func<NpgsqlDataSource> database, TimeProvider wall, ILogger<DatabaseClock> logger)
    : BackgroundService, IClock
{
    private const string NowSql = "SELECT clock_timestamp()";

    private const long MicrosecondsPerSecond = 1_000_000;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestTrip = TimeSpan.FromMilliseconds(250);

    private Answer? last;
    private bool late;
    private long given;

    /// <summary>
    /// Never ahead of the database, never earlier than what was given out before: it stands until the database comes by. Only a database
    /// whose own clock was set back by a second or more is followed, since its rows are of that time.
    /// </summary>
    public Instant GetCurrentInstant()
    {
        var now = Volatile.Read(ref last) is { } answer
            ? answer.Time + Duration.FromTimeSpan(Stopwatch.GetElapsedTime(answer.Timestamp))
            : Instant.FromDateTimeOffset(wall.GetUtcNow());
        // In microseconds, as timestamptz keeps them: what is answered before it was stored must equal what is read later.
        return Instant.FromUnixTimeTicks(NotBeforeGiven(now.ToUnixTimeTicks() / 10) * 10);
    }

    /// <summary>Asks the database.</summary>
    public async Task AskAsync(CancellationToken ct)
    {
        await using var connection = await database().OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(NowSql, connection);
        var asked = Stopwatch.GetTimestamp();
        var time = Instant.FromDateTimeUtc((DateTime)(await command.ExecuteScalarAsync(ct))!);
        Take(time, asked, Stopwatch.GetTimestamp());
    }

    /// <summary>
    /// Goes by an answer as if the database had given it just now: it may be behind by the whole round trip, and is never ahead. One that
    /// came late is dropped when there is an older one.
    /// </summary>
    /// <returns>Whether it came in time; else it is asked for again soon.</returns>
    public bool Take(Instant time, long asked, long answered)
    {
        var inTime = Stopwatch.GetElapsedTime(asked, answered) <= LongestTrip;
        if (inTime || Volatile.Read(ref last) is null)
            Volatile.Write(ref last, new Answer(time, answered));
        Volatile.Write(ref late, !inTime);
        return inTime;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, AskAgainAsync, stoppingToken);

    private async Task AskAgainAsync(CancellationToken ct)
    {
        await Task.Delay(Volatile.Read(ref late) ? Soon : Every, ct);
        await AskAsync(ct);
    }

    private long NotBeforeGiven(long now)
    {
        while (true)
        {
            var before = Volatile.Read(ref given);
            if (now <= before && before - now < MicrosecondsPerSecond)
                return before;
            if (Interlocked.CompareExchange(ref given, now, before) == before)
                return now;
        }
    }

    private sealed record Answer(Instant Time, long Timestamp);
}
