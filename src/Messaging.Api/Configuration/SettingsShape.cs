using System.ComponentModel;
using System.Globalization;
using System.Reflection;

namespace Messaging.Api.Configuration;

/// <summary>
/// Compares a section with the type that it is read as. Names settings as environment variables, and never tells a value.
/// </summary>
public static class SettingsShape
{
    public static string Name(string path) => path.Replace(":", "__", StringComparison.Ordinal);

    public static IEnumerable<string> Errors(IConfigurationSection section, Type type)
    {
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite).ToArray();
        if (!string.IsNullOrEmpty(section.Value))
            yield return $"{Name(section.Path)}: is a section; its settings are written {Name(section.Path)}__{properties[0].Name} and so "
                + "on.";
        foreach (var child in section.GetChildren())
        {
            var property = Array.Find(properties, property => property.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase));
            foreach (var error in property is null
                ? [$"{Name(child.Path)}: there is no such setting."] : ValueErrors(child, property.PropertyType))
                yield return error;
        }
    }

    private static IEnumerable<string> ValueErrors(IConfigurationSection section, Type declared)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        if (ItemType(type) is { } item)
        {
            return string.IsNullOrEmpty(section.Value)
                ? section.GetChildren().SelectMany(child => ValueErrors(child, item))
                : [$"{Name(section.Path)}: write one value to a setting: {Name(section.Path)}__0, __1 and so on."];
        }
        if (!TypeDescriptor.GetConverter(type).CanConvertFrom(typeof(string)))
            return Errors(section, type);
        if (section.GetChildren().Any())
            return section.GetChildren().Select(child => $"{Name(child.Path)}: there is no such setting.");
        return string.IsNullOrEmpty(section.Value) || IsValid(type, section.Value)
            ? []
            : [$"{Name(section.Path)}: {Describe(type)} is expected."];
    }

    // The converter of an enumeration takes any case, and says that it does not. That of time spans takes 5 for days, and 24:00:00 too.
    private static bool IsValid(Type type, string value) =>
        type.IsEnum ? EnumNameConverter.IsWord(type, value)
        : type == typeof(TimeSpan) ? value.Count(c => c == ':') == 2
            && TimeSpan.TryParseExact(value, "c", CultureInfo.InvariantCulture, out var span) && span >= TimeSpan.Zero
        : TypeDescriptor.GetConverter(type).IsValid(value);

    private static Type? ItemType(Type type) =>
        type.IsArray ? type.GetElementType() : type.IsGenericType ? type.GetGenericArguments()[^1] : null;

    private static string Describe(Type type)
    {
        if (type == typeof(bool))
            return "true or false";
        if (type == typeof(TimeSpan))
            return "a time span hh:mm:ss such as 00:00:30";
        return type.IsEnum ? "one of " + string.Join(", ", EnumNameConverter.NamesOf(type)) : "a whole number";
    }
}
