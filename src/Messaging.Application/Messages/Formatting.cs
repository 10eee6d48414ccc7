using System.Text.Json;
using Messaging.Application.Common;

namespace Messaging.Application.Messages;

/// <summary>
/// Ranges of the text that <c>metadata.formatting</c> speaks of, in code points: an object <c>{"bold": [[start, length], …], …}</c>, or a
/// list of <c>{type, start, length}</c>, <c>offset</c> being another word for <c>start</c>. What a range means is the host's own.
/// </summary>
public static class Formatting
{
    private const string Name = "formatting";
    private const string Expected =
        "Ranges of the text are expected, in characters: {\"bold\": [[start, length], …]}, or [{\"type\": \"bold\", \"start\": …, "
            + "\"length\": …}, …].";

    /// <summary>What is wrong with the ranges, each with its place.</summary>
    public static IEnumerable<(string Path, string Detail)> Errors(JsonText? metadata, string? text)
    {
        if (metadata is not { } json)
            yield break;
        using var document = JsonDocument.Parse(json.Value);
        if (!document.RootElement.TryGetProperty(Name, out var formatting) || formatting.ValueKind is JsonValueKind.Null)
            yield break;
        var end = text is null ? 0 : StrictText.Length(text);
        foreach (var (place, range) in Ranges(formatting))
        {
            if (range is not var (start, length))
                yield return ($"Metadata/{Name}{place}", Expected);
            else if (start < 0 || length < 1 || start + length > end)
                yield return ($"Metadata/{Name}{place}", $"The range does not lie inside the text, which has {end} characters.");
        }
    }

    // Each with its place; null for what is none.
    private static IEnumerable<(string Place, (long Start, long Length)? Range)> Ranges(JsonElement formatting) =>
        formatting.ValueKind switch
    {
        JsonValueKind.Array => formatting.EnumerateArray().Select((range, i) => ($"/{i}", OfObject(range))),
        JsonValueKind.Object => formatting.EnumerateObject().SelectMany(kind => Pairs($"/{MemberPath.Step(kind.Name)}", kind.Value)),
        _ => [("", null)],
    };

    private static IEnumerable<(string, (long, long)?)> Pairs(string kind, JsonElement ranges) => ranges.ValueKind is JsonValueKind.Array
        ? ranges.EnumerateArray().Select((range, i) => ($"{kind}/{i}", OfPair(range)))
        : [(kind, null)];

    // As longs, so that no sum is beyond them.
    private static (long, long)? OfObject(JsonElement range) => range.ValueKind is JsonValueKind.Object
        && (Number(range, "start") ?? Number(range, "offset")) is { } start && Number(range, "length") is { } length
        ? (start, length) : null;

    private static (long, long)? OfPair(JsonElement range) => range.ValueKind is JsonValueKind.Array && range.GetArrayLength() == 2
        && Number(range[0]) is { } start && Number(range[1]) is { } length ? (start, length) : null;

    private static int? Number(JsonElement range, string name) => range.TryGetProperty(name, out var value) ? Number(value) : null;

    private static int? Number(JsonElement value) =>
        value.ValueKind is JsonValueKind.Number && value.TryGetInt32(out var number) ? number : null;
}
