using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Messaging.Api.Json;
using Messaging.Application.Common;
using NodaTime;

namespace Messaging.Api.Errors;

/// <summary>Where the JSON reader stopped: from its <c>$.a[0]['b.c']</c> to the member <c>a/0/b.c</c>.</summary>
public sealed partial class JsonPath(string? path)
{
    private readonly IReadOnlyList<string> steps =
        [.. Steps().Matches(path ?? "").Select(match => match.Groups["step"].Value)];

    public string Member => MemberPath.Of(steps);

    public string Below(string name) => MemberPath.Of([.. steps, name]);

    /// <summary>
    /// In words, what may stand at this place of a body, or parameter, read as <paramref name="root"/>; null when that is not known.
    /// </summary>
    public string? Expected(Type? root)
    {
        var type = root;
        foreach (var step in steps)
        {
            var info = type is null ? null : MessagingJson.Options.GetTypeInfo(Plain(type));
            type = info?.Kind switch
            {
                JsonTypeInfoKind.Object => info.Properties.FirstOrDefault(property => property.Name == step)?.PropertyType,
                JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary => info.ElementType,
                _ => null,
            };
        }
        return type is null ? null : Describe(Plain(type));
    }

    // What stands in a merge patch, may be null, or is read from a query.
    private static Type Plain(Type type)
    {
        var given = Nullable.GetUnderlyingType(type) ?? type;
        if (given.IsGenericType
            && (given.GetGenericTypeDefinition() == typeof(Optional<>) || given.GetGenericTypeDefinition() == typeof(EnumName<>)))
            given = given.GenericTypeArguments[0];
        return given == typeof(TimeParameter) ? typeof(Instant) : Nullable.GetUnderlyingType(given) ?? given;
    }

    private static string? Describe(Type type)
    {
        if (type.IsEnum)
            return "one of " + string.Join(", ", Enum.GetNames(type).Select(MessagingJson.EnumNaming.ConvertName));
        if (type == typeof(string))
            return "a string";
        if (type == typeof(bool))
            return "true or false";
        if (type == typeof(int) || type == typeof(long))
            return "a whole number within bounds";
        if (MessagingJson.Expected.TryGetValue(type, out var words))
            return words;
        return MessagingJson.Options.GetTypeInfo(type).Kind switch
        {
            JsonTypeInfoKind.Enumerable => "an array",
            JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary => "an object",
            _ => null,
        };
    }

    [GeneratedRegex(@"\.(?<step>[^.\[]*)|\[(?<step>\d+)\]|\['(?<step>([^']|'(?!\]))*)'\]",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Steps();
}
