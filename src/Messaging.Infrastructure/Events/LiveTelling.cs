using System.Diagnostics.Metrics;
using System.Runtime.ExceptionServices;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Events;

/// <summary>Hands events to those of this node's receivers whom they concern.</summary>
sealed class LiveTelling(ILiveReceiver[] receivers, ILogger logger)
{
    private static readonly Meter Meter = new(FeedReader.MeterName);

    public static readonly Counter<long> Failures = Meter.CreateCounter<long>(
        "messaging.feed.failures", "{event}", "Events that a receiver on this node, or a follower of the feed, could not take.");

    /// <summary>Whether a service listens here, which every event concerns.</summary>
    public bool HasServices => Array.Exists(receivers, receiver => receiver.HasServices);

    /// <summary>Whether an event concerns any user here.</summary>
    /// <param name="hearing">Who may hear what happens in a conversation.</param>
    public bool Concerns(FeedRow row, Func<Guid, IReadOnlyCollection<string>> hearing)
    {
        if (row is { UserId: null, ConversationId: null })
            return false;
        IReadOnlyCollection<string> audience = row.UserId is { } user ? [user] : hearing(row.ConversationId!.Value);
        var id = row.ConversationId is { } conversation ? new ConversationId(conversation) : (ConversationId?)null;
        return Array.Exists(receivers, receiver => receiver.Hears(row.Type, id, audience));
    }

    /// <summary>
    /// Tells one user, or those who take part. An event of a message is for those who may see it, and one that shows a message is told to
    /// the others without it.
    /// </summary>
    /// <param name="isHidden">Whether a member has deleted a message for themselves.</param>
    public void Tell(
        FeedRow row, ToldEvent its, long epoch, Func<Guid, IEnumerable<FeedMember>> members, Predicate<(Guid, string, long)> isHidden)
    {
        if (row.UserId is { } user)
        {
            Tell(row, () => its.Data, epoch, [user]);
            return;
        }
        var seeing = members(row.ConversationId!.Value)
            .Where(member => member.Receives(row, isHidden))
            .ToLookup(member => member.Sees(its.ShownSeq, isHidden), member => member.UserId);
        Tell(row, () => its.Data, epoch, [.. seeing[true]]);
        if (seeing.Contains(false))
            Tell(row, () => ((IShowsMessage)its.Data!).WithoutShown(), epoch, [.. seeing[false]]);
    }

    /// <summary>Tells the services that listen here, whoever's it is.</summary>
    public void TellServices(FeedRow row, ToldEvent its, long epoch)
    {
        var envelope = new Lazy<EventEnvelope?>(
            () => EventRenderer.Json(its.Data) is { } json ? row.ToServiceEnvelope(epoch, json) : null);
        foreach (var receiver in receivers.Where(receiver => receiver.HasServices))
            Hand(receiver, row, envelope, ILiveReceiver.Services);
    }

    private void Tell(FeedRow row, Func<object?> tells, long epoch, IReadOnlyCollection<string> audience)
    {
        var envelope = new Lazy<EventEnvelope?>(
            () => EventRenderer.Json(tells()) is { } json ? row.ToEnvelope(epoch, json) : null);
        foreach (var receiver in receivers)
            Hand(receiver, row, envelope, audience);
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
}

/// <summary>
/// An event's data, rendered once for everybody who hears it. If it could not be rendered, <see cref="Data"/> throws: this event is then
/// logged and its receivers are closed, and the rest of the feed goes on.
/// </summary>
sealed class ToldEvent(object? data, ExceptionDispatchInfo? failure)
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

    public static ToldEvent Of(FeedRow row, Func<FeedRow, object?> make)
    {
        try
        {
            return new ToldEvent(make(row), failure: null);
        }
        catch (Exception e)
        {
            return new ToldEvent(data: null, ExceptionDispatchInfo.Capture(e));
        }
    }
}
