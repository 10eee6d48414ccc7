using System.Text.RegularExpressions;
using Messaging.Domain.Webhooks;
using Messaging.Testing;

namespace Messaging.Architecture.Tests;

public sealed partial class EventTests
{
    [TestCaseSource(nameof(Names))]
    public void A_name_of_an_event_stands_in_the_code_once(string name)
    {
        Assert.That(Literals, Has.Exactly(1).EqualTo(name));
    }

    [Test]
    public void Every_name_of_an_event_but_that_of_a_test_is_that_of_a_record_or_of_what_tells_it_to_who_is_there()
    {
        Assert.That(Literals.Except(Names).Except(EventNames.Ephemeral), Is.EqualTo(new[] { WebhookTest.Name }));
    }

    private static IEnumerable<string> Names => EventNames.Stored;

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
