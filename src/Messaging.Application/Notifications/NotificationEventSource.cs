using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Notifications;

namespace Messaging.Application.Notifications;

/// <summary>What the row of a notification's event keeps.</summary>
public sealed record NotificationValues
{
    public Guid NotificationId { get; init; }
}

/// <summary>Notifications, as they are when they are delivered: with all messages that were added since.</summary>
public sealed class NotificationEventSource(PushTexts texts) : IEventSource
{
    // Index: pk_notifications, and those of the joins.
    private const string SomeSql =
        $"""
        {NotificationSql.OfIds}
        WHERE {NotificationSql.Stands}
        """;

    public IReadOnlyCollection<string> Types { get; } = [NotificationRaised.Name];

    public Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader) => new(
        SomeSql,
        new { Notifications = rows.Select(IdOf).Distinct().ToArray() },
        async grid =>
        {
            var found = (await grid.ReadAsync<NotificationRow>()).ToDictionary(row => row.Id);
            return row => found.GetValueOrDefault(IdOf(row))?.ToView(texts);
        });

    private static Guid IdOf(FeedRow row) => row.Values<NotificationValues>().NotificationId;
}
