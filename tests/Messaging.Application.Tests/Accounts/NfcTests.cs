using CsCheck;
using Messaging.Application.Common;
using Messaging.Testing;

namespace Messaging.Application.Tests.Accounts;

/// <summary>PostgreSQL has tables of its own, by which ours are checked.</summary>
public sealed class NfcTests : SliceFixture
{
    [TestCase("plain ASCII 123", ExpectedResult = "plain ASCII 123")]
    [TestCase("A\u030angstro\u0308m", ExpectedResult = "\u00c5ngstr\u00f6m")]
    [TestCase("\u212b", ExpectedResult = "\u00c5")]
    [TestCase("q\u0307\u0323", ExpectedResult = "q\u0323\u0307")]
    [TestCase("e\u0323\u0302", ExpectedResult = "\u1ec7")]
    [TestCase("\u1112\u1161\u11ab", ExpectedResult = "\ud55c")]
    [TestCase("\uac00\u11a7\u11a8", ExpectedResult = "\uac00\u11a7\u11a8")]
    [TestCase("\u0301a", ExpectedResult = "\u0301a")]
    [TestCase("🦊👨‍👩‍👧‍👦", ExpectedResult = "🦊👨‍👩‍👧‍👦")]
    [TestCase("ﬁ²", ExpectedResult = "ﬁ²")]
    public string Letters_and_their_marks_become_one(string text) => Nfc.Of(text);

    [Test]
    public async Task Every_character_that_decomposes_is_composed_as_PostgreSQL_does()
    {
        var rows = await Slices.SqlAsync(session => session.QueryAsync<Form>(
            """
            SELECT c.text, normalize(c.text, NFC) AS composed, normalize(c.text, NFD) AS decomposed
            FROM (
                SELECT chr(n) AS text
                FROM (VALUES (1, 55295), (57344, 65535), (69786, 69803), (119134, 119232), (194560, 195101)) AS ranges (first, last),
                    generate_series(first, last) AS n
            ) AS c
            WHERE normalize(c.text, NFD) <> c.text
            """,
            null,
            CancellationToken.None));

        Assert.That(rows, Has.Count.GreaterThan(13_000));
        Assert.That(rows.Where(row => Nfc.Of(row.Text) != row.Composed || Nfc.Of(row.Decomposed) != row.Composed).Select(row => row.Text),
            Is.Empty);
    }

    [Test]
    public Task So_are_ten_thousand_jumbled_texts() => Jumbled.CheckAsync(length: 100, cases: 110, AreComposedAsync);

    private async Task AreComposedAsync(string[] texts)
    {
        var composed = await Slices.SqlAsync(session => session.QueryAsync<string>(
            "SELECT normalize(t.text, NFC) FROM unnest(@Texts::text[]) WITH ORDINALITY AS t (text, n) ORDER BY t.n", new { Texts = texts },
            CancellationToken.None));

        Assert.That(texts.Select(Nfc.Of), Is.EqualTo(composed));
    }

    [Test]
    public Task Composing_again_changes_nothing() =>
        Jumbled.CheckAsync(cases: 1_000, text => Assert.That(Nfc.Of(Nfc.Of(text)), Is.EqualTo(Nfc.Of(text))));

    // Two million moves of one place each in a text as long as a request may be would take hours.
    [Test]
    [CancelAfter(60_000)]
    public async Task A_text_of_marks_alone_is_composed_like_any_other(CancellationToken ct)
    {
        var text = new string('\u0345', 200_000) + new string('\u0334', 200_000);

        var composed = await Task.Run(() => Nfc.Of(text), ct).WaitAsync(ct);

        Assert.That(composed, Is.EqualTo(new string('\u0334', 200_000) + new string('\u0345', 200_000)));
    }

    // Letters that take marks, marks of many classes, Hangul in parts, and what decomposes without coming together again.
    private static readonly Gen<string> Jumbled = Gen.OneOfConst(
            "a", "E", "o", "q", "\u03b1", "\u0391", "\u0627", "\u0915", "\u09c7", "\u1025", "\u00c5", "\u1ea4", "\u0344", "\u2126",
            "\u0958", "\u1100", "\u1161", "\u11a8",
            "\uac00", "\u3042", "\u3099", "\u0300", "\u0301", "\u0308", "\u030a", "\u0302", "\u031b", "\u0323", "\u0327", "\u0328",
            "\u0338", "\u0345", "\u0653",
            "\u0654", "\u093c", "\u09be", "\u102e", "\ud834\udd5f", "\ud834\udd57", "\ud834\udd65", "🦊", "\u200d")
        .Array[1, 11].Select(parts => string.Concat(parts));

    private sealed record Form(string Text, string Composed, string Decomposed);
}
