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
        Assert.That(Literals, Has.Exactly(1).EqualTo(name));
    }

    // Presence is told over the bus, and is no event that is kept.
    [Test]
    public void Every_name_of_an_event_is_that_of_a_record()
    {
        Assert.That(Literals.Except(Names), Is.EqualTo(new[] { "presence:changed" }));
    }

    private static IEnumerable<string> Names { get; } =
    [
        .. from type in typeof(IEvent).Assembly.GetTypes()
           where type.IsAssignableTo(typeof(IEvent)) || type.IsAssignableTo(typeof(IPersonalEvent))
           from field in type.GetFields(BindingFlags.Static | BindingFlags.Public)
           where field.IsLiteral && field.Name == "Name"
           select (string)field.GetRawConstantValue()!,
    ];

    private static List<string> Literals { get; } =
    [
        .. from file in Directory.EnumerateFiles(Repository.File("src"), "*.cs", SearchOption.AllDirectories)
           where !file.Split(Path.DirectorySeparatorChar).Contains("obj")
           from Match literal in Name().Matches(File.ReadAllText(file))
           select literal.Groups["name"].Value,
    ];

    [GeneratedRegex("""["'](?<name>(?!messaging:)[a-z]+:[a-z]+)["']""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Name();
}
