using Messaging.Application.Common;
using Messaging.Application.Users;
using Messaging.Domain.Common;

namespace Messaging.Application.Tests.Users;

public sealed class UserPatchTests : SliceFixture
{
    // The examples of RFC 7396, appendix A, that have an object on both sides.
    [TestCase("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [TestCase("""{"a":"b"}""", """{"b":"c"}""", """{"a":"b","b":"c"}""")]
    [TestCase("""{"a":"b"}""", """{"a":null}""", "{}")]
    [TestCase("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [TestCase("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}""")]
    [TestCase("""{"a":"c"}""", """{"a":["b"]}""", """{"a":["b"]}""")]
    [TestCase("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}""")]
    [TestCase("""{"a":[{"b":"c"}]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [TestCase("""{"e":null}""", """{"a":1}""", """{"e":null,"a":1}""")]
    [TestCase("{}", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    public void Metadata_are_merged_as_the_standard_says(string target, string patch, string result) =>
        Assert.That(JsonMerge.Apply(new JsonText(target), new JsonText(patch)), Is.EqualTo(new JsonText(result)));

    [Test]
    public async Task A_patch_of_one_member_keeps_the_others()
    {
        var id = await PutAsync("""{"a":1}""");

        var me = await Slices.SendAsync(Patch(id) with { FirstName = new("Augusta") });

        Assert.That((me.DisplayName, me.FirstName, me.LastName, me.Metadata?.Value), Is.EqualTo(("Ada", "Augusta", "L.", """{"a": 1}""")));
    }

    [Test]
    public async Task Null_clears_names_and_all_metadata()
    {
        var id = await PutAsync("""{"a":1}""");

        var me = await Slices.SendAsync(Patch(id) with { DisplayName = new(null), Metadata = new(null) });

        Assert.That((me.DisplayName, me.LastName, me.Metadata), Is.EqualTo(((string?)null, "L.", (JsonText?)null)));
    }

    [Test]
    public async Task Of_simultaneous_patches_of_the_metadata_none_is_lost()
    {
        var id = await PutAsync("{}");

        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() =>
            Slices.SendAsync(Patch(id) with { Metadata = new(new JsonText($$"""{"m{{i}}":{{i}}}""")) }))));

        Assert.That(
            await Slices.ScalarAsync<long>("SELECT count(*) FROM users, jsonb_object_keys(metadata) WHERE id = @Id", new { Id = id.Value }),
            Is.EqualTo(20));
    }

    [Test]
    public async Task The_bound_holds_for_what_the_metadata_come_to()
    {
        var id = await PutAsync($$"""{"a":"{{new string('x', 10_000)}}"}""");
        var more = new JsonText($$"""{"b":"{{new string('x', 10_000)}}"}""");

        var problem = await ProblemAsync(() => Slices.SendAsync(Patch(id) with { Metadata = new(more) }));

        Assert.That(problem.Member, Is.EqualTo("metadata"));
    }

    [Test]
    public async Task Numbers_and_text_of_the_metadata_stay_as_they_were()
    {
        var id = await PutAsync("""{"big":12345678901234567890.123,"text":"\u00e4<>&'🦊"}""");

        var me = await Slices.SendAsync(Patch(id) with { Metadata = new(new JsonText("""{"new":1}""")) });

        Assert.That(me.Metadata?.Value, Is.EqualTo("""{"big": 12345678901234567890.123, "new": 1, "text": "ä<>&'🦊"}"""));
    }

    static UpdateMe Patch(UserId id) => new(id, default, default, default, default, default);

    async Task<UserId> PutAsync(string metadata)
    {
        var id = new UserId($"u-{Guid.NewGuid():N}");
        await Slices.SendAsync(new PutUser(id, "Ada", null, "L.", null, new JsonText(metadata)));
        return id;
    }
}
