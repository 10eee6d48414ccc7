using System.Diagnostics.Metrics;
using System.Runtime.ExceptionServices;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
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

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Failures = Meter.CreateCounter<long>(
        "messaging.feed.failures", "{event}", "Events that a receiver on this node could not take.");

    private readonly ILiveReceiver[] receivers = [.. receivers];
    private FeedCursor? place;

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
            (var read, var end, var expired) = await tail.ReadNextAsync(after.Position, ct);
            if (!Follows(end, expired, after))
            {
                StartOver(end);
                return false;
            }
            if (read.Count == 0)
                return false;
            (rows, goesOn) = (read, read.Count == FeedTail.BatchSize);
        }
        var (data, members, isHeard) = await tail.ReadDataAsync(rows, ct);
        var told = rows.Where(IsWanted).ToDictionary(row => row.Position, row => Rendered.Of(row, data));
        var hidden = await tail.ReadHiddenAsync(
            [.. rows.Where(row => told.ContainsKey(row.Position))], members, row => told[row.Position].ShownSeq, ct);
        foreach (var row in rows)
        {
            var its = told.GetValueOrDefault(row.Position);
            if (its is not null && row.UserId is { } user)
                Tell(row, () => its.Data, [user]);
            else if (its is not null)
                TellAll(row, its, row.ConversationId!.Value);
            place = after with { Position = row.Position };
        }
        return goesOn;

        // Who may hear it, of whom some listen here.
        bool IsWanted(FeedRow row)
        {
            if (row is { UserId: null, ConversationId: null } || (row.UserId is not null && !isHeard(row)))
                return false;
            IReadOnlyCollection<string> audience =
                row.UserId is { } user ? [user] : [.. members[row.ConversationId!.Value].Select(member => member.UserId)];
            var id = row.ConversationId is { } conversation ? new ConversationId(conversation) : (ConversationId?)null;
            return Array.Exists(receivers, receiver => receiver.Hears(row.Type, id, audience));
        }

        // An event of a message is for those who may see it, and one that shows a message is told to the others without it.
        void TellAll(FeedRow row, Rendered its, Guid conversation)
        {
            var seeing = members[conversation]
                .Where(member => Sees(member, row.Seq) && (member.HasFounded || row.Type != ConversationCreated.Name))
                .ToLookup(member => Sees(member, its.ShownSeq), member => member.UserId);
            Tell(row, () => its.Data, [.. seeing[true]]);
            if (seeing.Contains(false))
                Tell(row, () => ((IShowsMessage)its.Data!).WithoutShown(), [.. seeing[false]]);

            bool Sees(FeedMember member, long? seq) =>
                seq is not { } of || member.Visibility.Shows(of, hidden.Contains((conversation, member.UserId, of)));
        }

        void Tell(FeedRow row, Func<object?> tells, IReadOnlyCollection<string> audience)
        {
            var envelope = new Lazy<EventEnvelope?>(
                () => EventRenderer.Json(tells()) is { } json ? row.ToEnvelope(after.Epoch, json) : null);
            foreach (var receiver in receivers)
                Hand(receiver, row, envelope, audience);
        }
    }

    // An event that a receiver cannot take, or that cannot be rendered, must neither block all that follow nor be skipped silently.
    private void Hand(ILiveReceiver receiver, FeedRow row, Lazy<EventEnvelope?> envelope, IReadOnlyCollection<string> audience)
    {
        try
        {
            if (envelope.Value is { } told)
                receiver.Receive(told, row.Position, audience);
        }
        catch (Exception e)
        {
            var name = receiver.GetType().Name;
            Failures.Add(1, new("type", row.Type), new("receiver", name));
            // Log neither the exception's message nor the event's data: both may contain message text.
            logger.LogError(
                "{Receiver} could not take the event at {Position} ({Type}) and closes for it: {Exception}\n{Stack}",
                name, row.Position, row.Type, e.GetType().Name, e.StackTrace);
            receiver.Close(audience);
        }
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
        signal.Forget();
        place = end;
    }

    // What an event tells, made once for all who hear it. Of one that cannot be made, asking for it fails, where that is said and its
    // hearers are closed, and nothing else of the feed.
    private sealed class Rendered(object? data, ExceptionDispatchInfo? failure)
    {
        public object? Data
        {
            get
            {
                failure?.Throw();
                return data;
            }
        }

        public long? ShownSeq => (data as IShowsMessage)?.ShownSeq;

        public static Rendered Of(FeedRow row, Func<FeedRow, object?> make)
        {
            try
            {
                return new Rendered(make(row), failure: null);
            }
            catch (Exception e)
            {
                return new Rendered(data: null, ExceptionDispatchInfo.Capture(e));
            }
        }
    }
}
