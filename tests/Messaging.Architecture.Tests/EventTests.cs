using System.Reflection;
using System.Text.RegularExpressions;
using Messaging.Domain.Common;
using Messaging.Testing;

namespace Messaging.Architecture.Tests;

public sealed partial class EventTests
{
    [TestCaseSource(nameof(Names))]
    public void A_name_of_an_event_stands_in_the_code_once(string name)
    {
        var places = Sources.Where(source => source.Text.Contains($"\"{name}\"", StringComparison.Ordinal)
            || source.Text.Contains($"'{name}'", StringComparison.Ordinal));

        Assert.That(places.Select(source => source.File), Has.Exactly(1).Items);
    }

    private static IEnumerable<string> Names { get; } =
    [
        .. from type in typeof(IEvent).Assembly.GetTypes()
           from field in type.GetFields(BindingFlags.Static | BindingFlags.Public)
           where field.IsLiteral && field.GetRawConstantValue() is string value && Name().IsMatch(value)
           select (string)field.GetRawConstantValue()!,
    ];

    private static List<(string File, string Text)> Sources { get; } =
    [
        .. from file in Directory.EnumerateFiles(Repository.File("src"), "*.cs", SearchOption.AllDirectories)
           where !file.Split(Path.DirectorySeparatorChar).Contains("obj")
           select (file, File.ReadAllText(file)),
    ];

    [GeneratedRegex("^[a-z]+:[a-z]+$", RegexOptions.None, 1000)]
    private static partial Regex Name();
}
