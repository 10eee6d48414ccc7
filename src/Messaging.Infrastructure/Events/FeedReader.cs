using Messaging.Application.Events;
using Messaging.Infrastructure.Cluster;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Events;

/// <summary>
/// Reads the feed from this node's position and delivers each event to those who may receive it by current membership. The only way in
/// which events reach live connections, whichever node they were created on.
/// </summary>
public sealed class FeedReader(
    DirectDataSource database, FeedSignal signal, MovedEvents moved, EventRenderer teller, IEnumerable<ILiveReceiver> receivers,
    ILogger<FeedReader> logger)
    : BackgroundService
{
    public const string MeterName = "Messaging.Feed";

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    private readonly ILiveReceiver[] receivers = [.. receivers];
    private readonly Hearers hearers = new([.. receivers]);
    private readonly LiveTelling telling = new([.. receivers], logger);
    private FeedCursor? place;

    /// <summary>How many places of listeners in conversations are remembered; of who has more, each conversation's row is read.</summary>
    public int MostPlaces { init => hearers.Most = value; }

    private bool HasListeners => Array.Exists(receivers, receiver => receiver.HasListeners);

    /// <summary>Sets its position before the server accepts connections.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var tail = await FeedTail.OpenAsync(database.Value, teller, cancellationToken);
            (place, _) = await tail.ReadEndAsync(cancellationToken);
        }
        catch (Exception e) when (DatabaseFailures.IsAway(e))
        {
            logger.LogWarning(e, "No place in the feed yet: the database does not answer");
        }
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, ReadAsync, stoppingToken);

    private async Task ReadAsync(CancellationToken ct)
    {
        await using var tail = await FeedTail.OpenAsync(database.Value, teller, ct);
        using var waker = signal.Listen();
        while (true)
        {
            var goOn = place is { } from && HasListeners ? await DeliverAsync(tail, from, ct) : await SkipAsync(tail, ct);
            if (!goOn)
                await waker.WaitAsync(Poll, ct);
        }
    }

    private async Task<bool> SkipAsync(FeedTail tail, CancellationToken ct)
    {
        moved.Stop();
        hearers.Forget();
        var (end, expired) = await tail.ReadEndAsync(ct);
        if (place is null || !Follows(end, expired, place.Value))
            StartOver(end);
        // Those connected before the end was read may need earlier events; those who connect from now on get them by resuming.
        else if (HasListeners)
            return true;
        else
            place = end;
        return false;
    }

    private async Task<bool> DeliverAsync(FeedTail tail, FeedCursor after, CancellationToken ct)
    {
        var rows = moved.Take(after);
        var goesOn = rows is not null;
        if (rows is null)
        {
            (var read, var end, var expired) = await tail.ReadNextAsync(after.Position, FeedTail.BatchSize, ct);
            if (!Follows(end, expired, after))
            {
                StartOver(end);
                return false;
            }
            if (read.Count == 0)
            {
                // Those who have begun to listen need not wait for the next event to be read.
                await hearers.UpdateAsync(tail, read, ct);
                return false;
            }
            (rows, goesOn) = (read, read.Count == FeedTail.BatchSize);
        }
        await TellAsync(tail, rows, after.Epoch, ct);
        place = after with { Position = rows[^1].Position };
        return goesOn;
    }

    private async Task TellAsync(FeedTail tail, IReadOnlyList<FeedRow> rows, long epoch, CancellationToken ct)
    {
        await hearers.UpdateAsync(tail, rows, ct);
        var listeners = rows.Where(row => row is { UserId: null, ConversationId: not null }).Select(row => row.ConversationId!.Value)
            .Distinct().ToDictionary(id => id, hearers.Of);
        var hasServices = telling.HasServices;
        List<FeedRow> wanted = [.. rows.Where(row => hasServices || telling.Concerns(row, id => listeners[id]))];
        if (wanted.Count == 0)
            return;
        var data = await tail.ReadDataAsync(wanted, listeners, ct);
        foreach (var id in listeners.Keys)
            hearers.Keep(id, data.PresentIn(id));
        var told = wanted.ToDictionary(row => row.Position, row => ToldEvent.Of(row, data.Of));
        if (hasServices)
            wanted.ForEach(row => telling.TellServices(row, told[row.Position], epoch));
        wanted.RemoveAll(row => !data.IsHeard(row) || !telling.Concerns(row, data.HearingIn));
        var hidden = await tail.ReadHiddenAsync(wanted, data, row => told[row.Position].ShownSeq, ct);
        foreach (var row in wanted)
            telling.Tell(row, told[row.Position], epoch, data.MembersOf, hidden.Contains);
    }

    // Another epoch, or a feed that is shorter than before: positions no longer mean what the listeners assume. Or the next events are
    // already deleted, because this node was paused or disconnected for days.
    private static bool Follows(FeedCursor end, long expired, FeedCursor place) =>
        end.Epoch == place.Epoch && end.Position >= place.Position && place.Position >= expired;

    private void StartOver(FeedCursor end)
    {
        if (place is { } from)
        {
            logger.LogWarning(
                "The feed does not go on from {Place}, where it was read, and ends at {End}: connections are closed to start again", from,
                end);
        }
        foreach (var receiver in receivers)
            receiver.CloseAll();
        hearers.Forget();
        signal.Forget();
        place = end;
    }
}
