using System.Globalization;
using System.Text.RegularExpressions;
using Messaging.Testing;

namespace Messaging.Architecture.Tests;

public sealed class SizeTests
{
    private const string List = "tests/Messaging.Architecture.Tests/Oversize.txt";

    // Prose is wrapped; a table, a command to copy and a link have no place to break.
    [TestCase(".cs")]
    [TestCase(".sh")]
    [TestCase(".md")]
    public void A_line_has_at_most_140_columns(string extension)
    {
        var wide =
            from file in SourceFile.Of(extension)
            from line in Prose(file).Split('\n').Select((text, i) => (Text: text, Number: i + 1))
            where line.Text.EnumerateRunes().Count() > 140 && !(extension == ".md" && line.Text.StartsWith('|'))
            select $"{file}:{line.Number}";

        Assert.That(wide, Is.Empty);
    }

    [Test]
    public void Nothing_else_is_oversize_and_nothing_listed_grows()
    {
        var larger = Sizes.Exceeded.Where(one => !Listed.TryGetValue((one.Kind, one.Name), out var size) || size < one.Size).ToList();

        Assert.That(
            larger, Is.Empty, $"Make these smaller, or list them in {List} with a reason in the commit:\n{string.Join('\n', larger)}");
    }

    [Test]
    public void Nothing_is_listed_with_more_than_its_size()
    {
        var needed = Sizes.Exceeded.ToDictionary(one => (one.Kind, one.Name), one => one.Size);

        Assert.That(
            Listed.Where(one => needed.GetValueOrDefault(one.Key) < one.Value).Select(one => $"{one.Key.Kind} {one.Key.Name} {one.Value}"),
            Is.Empty, $"Write its size of today into {List}, or take it out");
    }

    private static Dictionary<(string Kind, string Name), int> Listed { get; } = File.ReadAllLines(Repository.File(List))
        .Where(line => line.Length > 0 && !line.StartsWith('#'))
        .Select(line => line.Split(' '))
        .ToDictionary(parts => (parts[0], parts[1]), parts => int.Parse(parts[2], CultureInfo.InvariantCulture));

    private static string Prose(SourceFile file) => !file.Path.EndsWith(".md", StringComparison.Ordinal)
        ? file.Text
        : Regex.Replace(
            file.Text, "^```.*?^```", match => new string('\n', match.Value.Count(sign => sign == '\n')),
            RegexOptions.Singleline | RegexOptions.Multiline, TimeSpan.FromSeconds(5));
}
