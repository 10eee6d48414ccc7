using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Testing;

namespace Messaging.Application.Tests.Common;

/// <summary>Texts as they are written.</summary>
public sealed class MessagingJsonTests
{
    // Halves of a pair among them, which may or may not come to stand together.
    private static readonly string[] Pieces =
    [
        "a", "é", "中", "😀", "\U00010000", "\U0001F1E9", "\U000E0067", "\U0001FFFE", "\U0010FFFF", "\uD83D", "\uDE00", "\uDBFF", "\uD800",
        "\"", "\\", "/", "<", "&", "'", "\0", "\n", "\r\n", "\u001F", "\u007F", "\u0085", "\u2028", "\u2029", "\u200D", "\uFE0F", "\uE000",
        "\uFEFF", "\uFFFD", "\uFFFF", "plain text", "\\uD83D\\uDE00",
    ];

    private static readonly string[] Edges =
    [
        .. Pieces, "", new('a', 300), $"{new string('a', 300)}😀\n{new string('\uD83D', 300)}",
        string.Concat(Enumerable.Repeat("😀\n", 300)),
    ];

    [Test]
    public Task Characters_beyond_the_basic_plane_are_written_as_they_are_and_others_as_the_framework_writes_them() =>
        EachAsync(text => Assert.That(JsonSerializer.Serialize(text, MessagingJson.Options), Is.EqualTo(Expected(text))));

    [Test]
    public Task Nodes_and_elements_are_written_alike() => EachAsync(text =>
    {
        var json = Expected(WellFormed(text));
        Assert.That(JsonNode.Parse(json)!.ToJsonString(MessagingJson.Options), Is.EqualTo(json));
        Assert.That(JsonSerializer.Serialize(JsonElement.Parse(json), MessagingJson.Options), Is.EqualTo(json));
    });

    [Test]
    public Task Every_reader_gets_back_what_was_written() => EachAsync(text =>
    {
        using var read = JsonDocument.Parse(JsonSerializer.SerializeToUtf8Bytes(text, MessagingJson.Options));
        Assert.That(read.RootElement.GetString(), Is.EqualTo(WellFormed(text)));
    });

    [Test]
    public void Every_character_comes_back()
    {
        var all = string.Concat(Enumerable.Range(0, 0x110000).Where(Rune.IsValid).Select(scalar => new Rune(scalar)));

        using var read = JsonDocument.Parse(JsonSerializer.SerializeToUtf8Bytes(all, MessagingJson.Options));

        Assert.That(read.RootElement.GetString() == all, Is.True);
    }

    // As fingerprints were made that are stored.
    [Test]
    public void A_message_keeps_its_fingerprint()
    {
        var content = new MessageContent("c😀", Text: "a \"😀\" é\n", Metadata: new JsonText("""{"mood": "😀"}"""));

        Assert.That(content.Fingerprint(), Is.EqualTo(SHA256.HashData(Encoding.UTF8.GetBytes(
            """{"clientMessageId":"c\uD83D\uDE00","type":"text","text":"a \"\uD83D\uDE00\" é\n","metadata":{"mood": "😀"}"""
            + ""","replyToId":null,"mentions":null}"""))));
    }

    private static async Task EachAsync(Action<string> check)
    {
        foreach (var text in Edges)
            check(text);
        await Gen.OneOfConst(Pieces).Array[0, 50].Select(pieces => string.Concat(pieces)).CheckAsync(cases: 5_000, check);
    }

    private static string WellFormed(string text) => string.Concat(text.EnumerateRunes());

    private static string Expected(string text)
    {
        var json = new StringBuilder("\"");
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
                json.Append(text, i++, 2);
            else if (char.IsSurrogate(text[i]))
                json.Append('\uFFFD');
            else
                json.Append(JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode($"{text[i]}"));
        }
        return json.Append('"').ToString();
    }
}
