using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Webhooks;
using Messaging.Infrastructure.Events;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>The deliveries of a batch of events, as columns: each event once with its bytes, and who gets which.</summary>
sealed class DueDeliveries
{
    public List<long> Positions { get; } = [];

    public List<string> EventIds { get; } = [];

    public List<string> Types { get; } = [];

    public List<Guid> Lanes { get; } = [];

    public List<byte[]> Bodies { get; } = [];

    public List<Guid> Ids { get; } = [];

    public List<Guid> Webhooks { get; } = [];

    /// <summary>Which event, counted from 1.</summary>
    public List<long> Events { get; } = [];

    public int Count => Ids.Count;

    /// <summary>How many of the events, from the first on, were looked at; with the others there would be too much at once.</summary>
    public int Looked { get; set; }
}

/// <summary>Finds who gets which of a batch of events by every webhook's filters, and makes the bytes of those that anybody gets.</summary>
sealed class WebhookMatches(ILogger logger)
{
    // Index: pk_conversations.
    private const string ContextsSql =
        """
        SELECT id, context_type
        FROM conversations
        WHERE id = ANY(@Conversations) AND context_type = ANY(@ContextTypes)
        """;

    private const int MostSelections = 10_000;

    private static readonly HashSet<string> Defaults = [.. EventSelection.Defaults];

    private readonly ConcurrentDictionary<string, EventSelection> selections = new(StringComparer.Ordinal);

    public async Task<DueDeliveries> FindAsync(
        FeedTail tail, long epoch, IReadOnlyList<FollowingWebhook> webhooks, IReadOnlyList<FeedRow> rows, CancellationToken ct)
    {
        var due = new DueDeliveries { Looked = rows.Count };
        if (webhooks.Count == 0 || rows.Count == 0)
            return due;
        var contexts = await ReadContextsAsync(tail, webhooks, rows, ct);
        var hearers = await WebhookHearers.ReadAsync(tail, webhooks, rows, ct);
        var matches = Match(webhooks, rows, contexts, hearers, due);
        if (matches.Count > 0)
            Make(rows, epoch, await tail.ReadForServicesAsync([.. matches.Select(match => rows[match.No])], ct), matches, due);
        return due;
    }

    private List<(int No, List<Guid> Takers)> Match(
        IReadOnlyList<FollowingWebhook> webhooks, IReadOnlyList<FeedRow> rows, Dictionary<Guid, string> contexts, WebhookHearers hearers,
        DueDeliveries due)
    {
        var selected = webhooks.ToDictionary(webhook => webhook.Id, SelectionOf);
        List<FollowingWebhook> ofAll = [.. webhooks.Where(webhook => webhook.UserIds.Length == 0)];
        var matches = new List<(int No, List<Guid> Takers)>();
        for (var (no, count) = (0, 0); no < rows.Count; no++)
        {
            var asked = ofAll.Where(one => IsForAll(one, rows[no])).Concat(hearers.Of(rows[no]));
            var takers = asked.Where(one => selected[one.Id].Includes(rows[no].Type) && IsFor(one, rows[no], contexts))
                .Select(one => one.Id).ToList();
            if (count > 0 && count + takers.Count > Backlog.MadeAtOnce)
            {
                due.Looked = no;
                break;
            }
            count += takers.Count;
            matches.Add((no, takers));
        }
        matches.RemoveAll(match => match.Takers.Count == 0);
        return matches;
    }

    private void Make(
        IReadOnlyList<FeedRow> rows, long epoch, Func<FeedRow, JsonText?> data, List<(int No, List<Guid> Takers)> matches,
        DueDeliveries due)
    {
        var bytes = 0L;
        foreach (var (no, takers) in matches)
        {
            if (Render(rows[no], epoch, data) is not { } body)
                continue;
            bytes += (long)body.Length * takers.Count;
            if (due.Count > 0 && bytes > Backlog.BytesMadeAtOnce)
            {
                due.Looked = no;
                return;
            }
            Add(due, rows[no], new FeedCursor(epoch, rows[no].Position).ToString(), body, takers);
        }
    }

    private static void Add(DueDeliveries due, FeedRow row, string eventId, byte[] body, List<Guid> takers)
    {
        due.Positions.Add(row.Position);
        due.EventIds.Add(eventId);
        due.Types.Add(row.Type);
        due.Lanes.Add(LaneOf(row));
        due.Bodies.Add(body);
        foreach (var taker in takers)
        {
            due.Ids.Add(Guid.CreateVersion7());
            due.Webhooks.Add(taker);
            due.Events.Add(due.Positions.Count);
        }
    }

    // What one event cannot be made of must not hold up all that follow. Neither the exception's message nor the data is logged: both may
    // contain message text.
    private byte[]? Render(FeedRow row, long epoch, Func<FeedRow, JsonText?> data)
    {
        try
        {
            return data(row) is { } told
                ? JsonSerializer.SerializeToUtf8Bytes(row.ToServiceEnvelope(epoch, told), MessagingJson.Options)
                : null;
        }
        catch (Exception e) when (Stride.IsOfEvents(e))
        {
            WebhookMetrics.Unrendered.Add(1, new KeyValuePair<string, object?>("type", row.Type));
            logger.LogError(
                "The event at {Position} ({Type}) cannot be made for webhooks: {Exception}\n{Stack}",
                row.Position, row.Type, e.GetType().Name, e.StackTrace);
            return null;
        }
    }

    private static bool IsFor(FollowingWebhook webhook, FeedRow row, Dictionary<Guid, string> contexts) =>
        row.OccurredAt >= Instant.FromDateTimeUtc(webhook.CreatedAt)
        && (webhook.ContextType is not { } context
            || (row.ConversationId is { } about && contexts.TryGetValue(about, out var type) && type == context));

    // What is told to one user of a conversation, such as that it is there, is told of all in an event of everybody's as well.
    private static bool IsForAll(FollowingWebhook webhook, FeedRow row) =>
        row.UserId is null || !Defaults.Contains(row.Type) || webhook.EventTypes.Contains(EventSelection.Any);

    // Kept for the next batch: many webhooks have the same filter.
    private EventSelection SelectionOf(FollowingWebhook webhook)
    {
        if (selections.Count >= MostSelections)
            selections.Clear();
        return selections.GetOrAdd(string.Join('\n', webhook.EventTypes), _ => new EventSelection(webhook.EventTypes));
    }

    private static async Task<Dictionary<Guid, string>> ReadContextsAsync(
        FeedTail tail, IReadOnlyList<FollowingWebhook> webhooks, IReadOnlyList<FeedRow> rows, CancellationToken ct)
    {
        var conversations = rows.Select(row => row.ConversationId).OfType<Guid>().Distinct().ToArray();
        var contextTypes = webhooks.Select(webhook => webhook.ContextType).OfType<string>().Distinct().ToArray();
        return conversations.Length == 0 || contextTypes.Length == 0
            ? []
            : (await tail.QueryAsync<ContextRow>(ContextsSql, new { Conversations = conversations, ContextTypes = contextTypes }, ct))
            .ToDictionary(row => row.Id, row => row.ContextType);
    }

    // The order that is kept: that of the conversation, or else that of the user. What concerns neither is in one order.
    private static Guid LaneOf(FeedRow row) => row.ConversationId
        ?? (row.UserId is { } user ? new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(user)).AsSpan(0, 16)) : Guid.Empty);

    private sealed record ContextRow(Guid Id, string ContextType);
}
