using System.ComponentModel;
using System.Globalization;
using Messaging.Application.Common;

namespace Messaging.Api.Configuration;

/// <summary>Reads the words of an enumeration as the API writes them, <c>since-join</c>, and as the code does, in any case.</summary>
public sealed class EnumNameConverter(Type type) : EnumConverter(type)
{
    /// <summary>Has the configuration's values of this enumeration read so.</summary>
    public static void Use(Type type) => TypeDescriptor.AddAttributes(type, new TypeConverterAttribute(typeof(EnumNameConverter)));

    public static bool IsWord(Type type, string value) => Enum.GetNames(type).Contains(NameOf(value), StringComparer.OrdinalIgnoreCase);

    public static IEnumerable<string> NamesOf(Type type) => Enum.GetNames(type).Select(MessagingJson.EnumNaming.ConvertName);

    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) =>
        base.ConvertFrom(context, culture, value is string word ? NameOf(word) : value);

    private static string NameOf(string word) => word.Replace("-", "", StringComparison.Ordinal);
}
