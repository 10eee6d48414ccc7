using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;

namespace Messaging.Application.Contacts;

/// <summary>Which request an event is about.</summary>
public sealed record RequestValues
{
    public Guid Id { get; init; }
}

/// <summary>Message requests as the one who hears of them sees them. One whose conversation is deleted is gone.</summary>
public sealed class RequestEventSource : IEventSource
{
    public IReadOnlyCollection<string> Types { get; } = [RequestReceived.Name, RequestAnswered.Name];

    public Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader)
    {
        var asked = rows.Select(KeyOf).Distinct().ToList();
        return new(
            RequestStore.SomeSql,
            new { RequestHearers = asked.Select(one => one.Viewer).ToArray(), Requests = asked.Select(one => one.Id).ToArray() },
            async grid =>
            {
                var requests = (await grid.ReadAsync<RequestStore.Row>()).ToDictionary(row => (row.ViewerId, row.Id), row => row.ToView());
                return row => requests.GetValueOrDefault(KeyOf(row));
            });
    }

    private static (string Viewer, Guid Id) KeyOf(FeedRow row) => (row.UserId!, row.Values<RequestValues>().Id);
}
