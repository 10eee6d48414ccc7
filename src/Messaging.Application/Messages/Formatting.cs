using System.Text.Json;
using Messaging.Application.Common;

namespace Messaging.Application.Messages;

/// <summary>
/// Ranges of the text that <c>metadata.formatting</c> speaks of: a list of <c>{start, length, …}</c> in code points, <c>offset</c> being
/// another word for <c>start</c>. What a range means is the host's own.
/// </summary>
public static class Formatting
{
    private const string Name = "formatting";
    private const string Expected = "A range of the text is expected: start (or offset) and length, in characters.";

    /// <summary>What is wrong with the ranges, each with its place.</summary>
    public static IEnumerable<(string Path, string Detail)> Errors(JsonText? metadata, string? text)
    {
        if (metadata is not { } json)
            yield break;
        using var document = JsonDocument.Parse(json.Value);
        if (!document.RootElement.TryGetProperty(Name, out var ranges) || ranges.ValueKind is JsonValueKind.Null)
            yield break;
        if (ranges.ValueKind is not JsonValueKind.Array)
        {
            yield return ($"Metadata.{Name}", "A list of ranges is expected.");
            yield break;
        }
        var (end, i) = (text is null ? 0 : StrictText.Length(text), 0);
        foreach (var range in ranges.EnumerateArray())
        {
            if (Of(range) is not var (start, length))
                yield return ($"Metadata.{Name}[{i}]", Expected);
            else if (start < 0 || length < 1 || start + length > end)
                yield return ($"Metadata.{Name}[{i}]", $"The range does not lie inside the text, which has {end} characters.");
            i++;
        }
    }

    // As a long, so that no sum is beyond it.
    private static (long Start, long Length)? Of(JsonElement range) =>
        range.ValueKind is JsonValueKind.Object && (Number(range, "start") ?? Number(range, "offset")) is { } start && Number(range, "length") is { } length
            ? (start, length)
            : null;

    private static int? Number(JsonElement range, string name) =>
        range.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number && value.TryGetInt32(out var number) ? number : null;
}
