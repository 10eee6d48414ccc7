using System.Text.Json;
using Dapper;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Events;

/// <summary>What a module's events tell beyond what their rows say. Found by scanning.</summary>
public interface IEventSource
{
    IReadOnlyCollection<string> Types { get; }

    /// <summary>
    /// What to read of all that the rows refer to. Comes to the data of each: null where what it refers to is gone, and nothing is told.
    /// </summary>
    /// <param name="rows">Of its types alone.</param>
    /// <param name="reader">The one who hears them; null where all do who may.</param>
    Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader);
}

/// <summary>What an event tells that shows a message beside what it is about: to who may not see that one it is told without.</summary>
public interface IShowsMessage
{
    /// <summary>Null where it shows none.</summary>
    long? ShownSeq { get; }

    object WithoutShown();
}

/// <summary>Somebody whom an event is about, as its row names them.</summary>
public sealed record UserRef(UserId UserId);

/// <summary>
/// The one place where rows of the feed get their data, live, on resuming and in <c>/v1/sync</c>. It is read after the rows, in one round
/// trip and of one moment: what was deleted before an event is told is not in it.
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

    /// <summary>Comes to the data of each of the rows, made where it is asked for; null for one that is told no more.</summary>
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
