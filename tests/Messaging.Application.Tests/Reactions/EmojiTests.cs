using System.Globalization;
using System.Text;
using Messaging.Application.Common;
using Messaging.Application.Reactions;
using Messaging.Testing;

namespace Messaging.Application.Tests.Reactions;

public sealed class EmojiTests
{
    // The Consortium's own list of an earlier version: each form with its status.
    private static readonly IReadOnlyList<(string Text, char Status)> Listed =
    [
        .. from line in File.ReadLines(Repository.File("tests/Messaging.Application.Tests/Reactions/emoji-test.txt"))
           where !line.StartsWith('#')
           from entry in line.Split(' ')
           let parts = entry.Split(':')
           select (string.Concat(parts[0].Split('.')
               .Select(point => new Rune(int.Parse(point, NumberStyles.HexNumber, CultureInfo.InvariantCulture)))), parts[1][0]),
    ];

    [Test]
    public void Every_fully_qualified_sequence_and_component_of_Unicode_is_itself()
    {
        var whole = Listed.Where(form => form.Status is 'f' or 'c').Select(form => form.Text).ToList();

        Assert.That(whole, Has.Count.EqualTo(3_655 + 9));
        Assert.That(whole.Where(text => Emoji.Of(text) != text), Is.Empty);
    }

    [Test]
    public void Every_minimally_qualified_and_unqualified_form_is_the_fully_qualified_one()
    {
        var whole = Listed.Where(form => form.Status == 'f').ToDictionary(form => Bare(form.Text), form => form.Text);
        var lacking = Listed.Where(form => form.Status is 'm' or 'u').ToList();

        Assert.That(lacking, Has.Count.EqualTo(1_069));
        Assert.That(lacking.Where(form => Emoji.Of(form.Text) != whole[Bare(form.Text)]).Select(form => form.Text), Is.Empty);
    }

    [Test]
    public void The_list_has_what_version_17_has_and_nothing_twice()
    {
        Assert.That(Emoji.All, Has.Count.EqualTo(3_953));
        Assert.That(Emoji.All.Select(Bare), Is.Unique);
        Assert.That(Emoji.All.Where(text => Emoji.Of(text) != text || Emoji.Of(Bare(text)) != text || Nfc.Of(text) != text), Is.Empty);
    }

    [TestCase("❤", ExpectedResult = "❤️")]
    [TestCase("👍️", ExpectedResult = "👍", TestName = "A_style_that_is_not_needed_goes")]
    [TestCase("👍🏽", ExpectedResult = "👍🏽")]
    [TestCase("🏳‍🌈", ExpectedResult = "🏳️‍🌈")]
    [TestCase("👨‍👩‍👧‍👦", ExpectedResult = "👨‍👩‍👧‍👦")]
    [TestCase("🧑🏻‍❤️‍💋‍🧑🏿", ExpectedResult = "🧑🏻‍❤️‍💋‍🧑🏿")]
    [TestCase("🏴󠁧󠁢󠁷󠁬󠁳󠁿", ExpectedResult = "🏴󠁧󠁢󠁷󠁬󠁳󠁿")]
    [TestCase("1⃣", ExpectedResult = "1️⃣")]
    [TestCase("🇩🇪", ExpectedResult = "🇩🇪")]
    [TestCase("🐦‍🔥", ExpectedResult = "🐦‍🔥")]
    [TestCase("\U0001fae9", ExpectedResult = "\U0001fae9")]
    [TestCase(":Party_Parrot:", ExpectedResult = ":party_parrot:")]
    [TestCase(":+1:", ExpectedResult = ":+1:")]
    [TestCase("like", ExpectedResult = ":like:")]
    [TestCase("Ship_It", ExpectedResult = ":ship_it:")]
    [TestCase("+1", ExpectedResult = ":+1:")]
    [TestCase("1", ExpectedResult = ":1:")]
    public string? One_emoji_has_one_form(string text) => Emoji.Of(text);

    [TestCase("")]
    [TestCase("a b")]
    [TestCase("like:")]
    [TestCase(":like")]
    [TestCase("like!")]
    [TestCase("👍👍")]
    [TestCase("👍 ")]
    [TestCase("🇩")]
    [TestCase("🇩🇩")]
    [TestCase("👍🏽🏽")]
    [TestCase("🏽👍")]
    [TestCase("\ufe0f")]
    [TestCase("❤\ufe0f\ufe0f")]
    [TestCase("❤\ufe0e", TestName = "Text_style_is_no_emoji")]
    [TestCase("\u200d👍")]
    [TestCase("👨‍")]
    [TestCase(":")]
    [TestCase("::")]
    [TestCase(":a b:")]
    [TestCase(":é:")]
    [TestCase(":a:b:")]
    [TestCase("\ud83d")]
    public void Other_text_is_no_emoji(string text) => Assert.That(Emoji.Of(text), Is.Null);

    [Test]
    public void A_name_has_62_characters_at_most()
    {
        Assert.That(Emoji.Of($":{new string('a', 62)}:"), Is.Not.Null);
        Assert.That(Emoji.Of($":{new string('a', 63)}:"), Is.Null);
        Assert.That(Emoji.Of(new string('a', 62)), Is.EqualTo($":{new string('a', 62)}:"));
        Assert.That(Emoji.Of(new string('a', 63)), Is.Null);
        Assert.That(Emoji.Of(string.Concat(Enumerable.Repeat("👍", 100_000))), Is.Null);
    }

    private static string Bare(string text) => text.Replace("\ufe0f", "", StringComparison.Ordinal);
}
