using System.Text.Json;
using CsCheck;
using Messaging.Application.Common;
using Messaging.Testing;

namespace Messaging.Application.Tests.Common;

public sealed class StoredJsonTests : SliceFixture
{
    private static readonly string[] Edges =
    [
        "0", "-0", "-0.00", "0e5", "0e-5", "-0e-500", "0e500", "1.50", "100e-2", "1.23e5", "0.001e3", "12e-1", "123456e-3", "1E+2",
        "1e0002", "-1e-16383",
        "-5e-324", "1.7976931348623157e308", "0.000e-3", "9.99e2", "0.1e1", "10.0e-1",
    ];

    private static readonly string[] Texts =
    [
        "{}", "[]", """{"a":[1,2,3],"b":{},"c":[[],{}],"d":null,"e":true,"f":false}""", """{ "a" : [ 1 , 2 ] }""",
        """["\u0041\u00e9\u4e2d\ud83d\ude00"]""",
        """["\u0001\u001f\u007f\u0080\u2028\b\f\n\r\t\"\\\/"]""", """{"\u0001\"":"é中😀"}""",
    ];

    [Test]
    public async Task Stored_JSON_is_as_long_as_it_was_counted_to_be()
    {
        string[] forms =
            ["{0}", "-{0}", "{0}.{1}", "-0.{1}", "0.00{1}", "{0}e{2}", "{0}.{1}e{2}", "0.{1}E{2}", "-0.000{1}e{2}", "{0}.000e{2}"];
        await IsCountedAsync([.. Edges.Select(Of), .. Texts]);

        await Gen.Select(Gen.OneOfConst(forms), Gen.Int[0, 99_999], Gen.Int[0, 9_999], Gen.Int[-450, 450], (form, whole, part, exponent) =>
                Of(string.Format(System.Globalization.CultureInfo.InvariantCulture, form, whole, part, exponent)))
            .CheckAsync(length: 100, cases: 10, IsCountedAsync);

        static string Of(string number) => $$"""{"a":{{number}}}""";
    }

    private async Task IsCountedAsync(string[] all)
    {
        var stored = await Slices.SqlAsync(session => session.QueryAsync<int>(
            "SELECT octet_length(t.json::jsonb::text) FROM unnest(@All::text[]) WITH ORDINALITY AS t (json, n) ORDER BY t.n",
            new { All = all }, default));

        Assert.That(all.Select(json => (json, new JsonText(json).StoredLength)),
            Is.EqualTo(all.Zip(stored, (json, length) => (json, (long)length))));
    }

    [TestCase("1e-399", false)]
    [TestCase("-1e-398", false)]
    [TestCase("-1e-397", true)]
    [TestCase("1e-398", true)]
    [TestCase("1e308", true)]
    [TestCase("1e309", false)]
    [TestCase("1e-16383", false)]
    [TestCase("1e-16384", false)]
    [TestCase("0e-16384", false)]
    [TestCase("1e400000", false)]
    [TestCase("1e-999999999999", false)]
    [TestCase("1e999999999999", false)]
    [TestCase("0e999999999999", false)]
    [TestCase("0e99999", true)]
    public void A_number_has_at_most_400_characters_without_an_exponent(string number, bool taken)
    {
        var reading = () => JsonSerializer.Deserialize<JsonText>($$"""{"a":[{{number}}]}""", MessagingJson.Options);

        Assert.That(reading, taken ? Throws.Nothing : Throws.TypeOf<JsonException>().With.Property("Path").EqualTo("$"));
    }

    [TestCase("1e-16383", "0")]
    [TestCase("-1e-399", "-0")]
    [TestCase("1e131071", "null")]
    [TestCase("-1e400", "null")]
    [TestCase("1e399", null)]
    [TestCase("1e-398", null)]
    [TestCase("1.50", null)]
    public async Task A_stored_number_that_is_longer_is_read_as_the_nearest_double(string number, string? expected)
    {
        string With(string value) => $$"""{"a": {"b": {{value}}, "c": ""}, "é": [1, {{value}}, "{{new string('3', 500)}}"]}""";
        Task<T> ReadAsync<T>() =>
            Slices.SqlAsync(session => session.QuerySingleAsync<T>("SELECT @Json::jsonb", new { Json = With(number) }, default));

        var (read, stored) = (await ReadAsync<JsonText>(), await ReadAsync<string>());

        Assert.That(read.Value, Is.EqualTo(expected is null ? stored : With(expected)));
    }

    [TestCase(32, true)]
    [TestCase(33, false)]
    public void Objects_and_lists_are_at_most_32_deep(int depth, bool taken)
    {
        var json = string.Concat(Enumerable.Repeat("""{"a":[""", depth / 2)) + (depth % 2 == 1 ? "{}" : "")
            + string.Concat(Enumerable.Repeat("]}", depth / 2));

        Assert.That(() => JsonSerializer.Deserialize<JsonText>(json, MessagingJson.Options),
            taken ? Throws.Nothing : Throws.TypeOf<JsonException>());
    }
}
