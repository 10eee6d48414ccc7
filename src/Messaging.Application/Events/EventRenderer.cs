using System.Text.Json;
using Dapper;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Events;

/// <summary>Supplies the data of a module's events beyond what their rows contain. Found by scanning.</summary>
public interface IEventSource
{
    IReadOnlyCollection<string> Types { get; }

    /// <summary>
    /// Reads everything that the rows refer to and returns the data of each: null if it no longer exists, and nothing is delivered.
    /// </summary>
    /// <param name="rows">Of its types alone.</param>
    /// <param name="reader">The only receiver; null for everyone who may receive them.</param>
    Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader);
}

/// <summary>The data of an event that includes a second message: those who may not see that message receive it without.</summary>
public interface IShowsMessage
{
    /// <summary>Null if it includes none.</summary>
    long? ShownSeq { get; }

    object WithoutShown();
}

/// <summary>A user whom an event is about, as named in its row.</summary>
public sealed record UserRef(UserId UserId);

/// <summary>
/// The one place where rows of the feed get their data: live, on resuming and in <c>/v1/sync</c>. The data is read after the rows, in one
/// round trip and one snapshot: what has been deleted before delivery is not included.
/// </summary>
public sealed class EventRenderer(IEnumerable<IEventSource> sources)
{
    private static readonly JsonText Nothing = new("{}");

    private readonly IEventSource[] sources = [.. sources];

    public static JsonText? Json(object? data) => data switch
    {
        null => null,
        JsonText json => json,
        _ => new JsonText(JsonSerializer.Serialize(data, MessagingJson.Options)),
    };

    /// <summary>The data of each row, created on demand; null for a row that is not delivered any more.</summary>
    public Reading<Func<FeedRow, object?>> ReadData(IReadOnlyList<FeedRow> rows, UserId? reader)
    {
        var asked = new List<(IEventSource Source, Reading<Func<FeedRow, object?>> Reading)>();
        var parameters = new DynamicParameters();
        foreach (var source in sources)
        {
            var own = rows.Where(row => source.Types.Contains(row.Type)).ToList();
            if (own.Count == 0)
                continue;
            var reading = source.Read(own, reader);
            asked.Add((source, reading));
            parameters.AddDynamicParams(reading.Parameters);
        }
        return new(string.Join(';', asked.Select(one => one.Reading.Sql)), parameters, ReadAsync);

        async Task<Func<FeedRow, object?>> ReadAsync(SqlMapper.GridReader grid)
        {
            var told = new Dictionary<string, Func<FeedRow, object?>>(StringComparer.Ordinal);
            foreach (var (source, reading) in asked)
            {
                var data = await reading.ReadAsync(grid);
                foreach (var type in source.Types)
                    told.Add(type, data);
            }
            return row => told.TryGetValue(row.Type, out var data) ? data(row) : row.Payload ?? Nothing;
        }
    }

    /// <summary>The same as JSON.</summary>
    public Reading<Func<FeedRow, JsonText?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader)
    {
        var reading = ReadData(rows, reader);
        return new(
            reading.Sql, reading.Parameters,
            async grid =>
            {
                var data = await reading.ReadAsync(grid);
                return row => Json(data(row));
            });
    }
}
