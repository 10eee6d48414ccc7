using System.Text;
using Messaging.Api.Errors;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;

namespace Messaging.Api.Tests.Surface;

public sealed class JsonTests
{
    ApiHost api = null!;

    HttpClient User => api.ClientFor("anna");

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [TestCase("", "#")]
    [TestCase("null", "#")]
    [TestCase("[]", "#")]
    [TestCase("3", "#")]
    [TestCase("\"text\"", "#")]
    [TestCase("{", "#")]
    [TestCase("{\"name\": \"a\", \"participantIds\": []} x", "#")]
    [TestCase("/* why */ {}", "#")]
    [TestCase("{}", "#/name #/participantIds")]
    [TestCase("{\"name\": \"a\"}", "#/participantIds")]
    [TestCase("{\"name\": null, \"participantIds\": []}", "#/name")]
    [TestCase("{\"name\": 1, \"participantIds\": []}", "#/name")]
    [TestCase("{\"Name\": \"a\", \"participantIds\": []}", "#/Name")]
    [TestCase("{\"name\": \"a\", \"name\": \"b\", \"participantIds\": []}", "#/name")]
    [TestCase("{\"name\": \"a\", \"participantIds\": [], \"colour\": 1}", "#/colour")]
    [TestCase("{\"name\": \"a\", \"participantIds\": {}}", "#/participantIds")]
    [TestCase("{\"name\": \"a\", \"participantIds\": [\"ben\", 7]}", "#/participantIds/1")]
    [TestCase("{\"name\": \"a\", \"participantIds\": [null]}", "#/participantIds/0")]
    [TestCase("{\"name\": \"a\", \"participantIds\": [\"no id\"]}", "#/participantIds/0")]
    [TestCase("{\"name\": \"a\", \"participantIds\": [\"\\ud800\"]}", "#/participantIds/0")]
    [TestCase("{\"name\": \"a\\u0000b\", \"participantIds\": []}", "#/name")]
    [TestCase("{\"name\": \"a\\ud800b\", \"participantIds\": []}", "#/name")]
    [TestCase("{\"\\ud800\": 1}", "#")]
    [TestCase("{\"name\": \"a\", \"participantIds\": [], \"metadata\": []}", "#/metadata")]
    [TestCase("{\"name\": \"a\", \"participantIds\": [], \"metadata\": {\"a\": 1, \"a\": 2}}", "#/metadata")]
    [TestCase("{\"name\": \"a\", \"participantIds\": [], \"metadata\": {\"a\": \"\\u0000\"}}", "#/metadata")]
    [TestCase("{\"name\": \"a\", \"participantIds\": [], \"metadata\": {\"\\udc00\": 1}}", "#/metadata")]
    [TestCase("{\"name\": \"a\", \"participantIds\": [], \"metadata\": {\"a\": 1e999}}", "#/metadata")]
    [TestCase("{\"name\": \"a\", \"participantIds\": [], \"context\": {\"type\": \"t\"}}", "#/context/id")]
    [TestCase("{\"name\": \"a\", \"participantIds\": [], \"context\": {\"type\": \"t\", \"id\": \"i\", \"x/y\": 1}}", "#/context/x~1y")]
    [TestCase("{\"\": 1}", "#/")]
    [TestCase("{\"name\": \"a\", \"participantIds\": [], \"context\": {\"type\": \"t\", \"id\": \"i\", \"\": 1}}", "#/context/")]
    [TestCase("{\"name\": \"a\", \"participantIds\": [], \"policy\": {\"reactions\": {\"allowed\": [\"like\", null, \"ok\"]}}}",
        "#/policy/reactions/allowed/1")]
    public async Task A_body_that_is_not_to_the_letter_is_400_with_a_pointer(string body, string pointers)
    {
        var sending = User.PostAsync("/v1/conversations", Json(Encoding.UTF8.GetBytes(body)));
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(await sending.PointersAsync(), Is.EqualTo(pointers));
            Assert.That((int)(await sending).StatusCode, Is.EqualTo(400));
        });
    }

    [Test]
    public async Task Nesting_without_end_is_400()
    {
        var body = string.Concat(Enumerable.Repeat("{\"metadata\":", 10_000));
        Assert.That(await User.PostAsync("/v1/conversations", Json(Encoding.UTF8.GetBytes(body))).OutcomeAsync(),
            Is.EqualTo("400 invalid-request"));
    }

    [TestCase(new byte[] { 0xff, 0xfe, 0x00 })]
    [TestCase(new byte[] { (byte)'{', (byte)'"', 0xc3, 0x28, (byte)'"', (byte)':', (byte)'1', (byte)'}' })]
    public async Task Bytes_that_are_no_text_are_400(byte[] body) =>
        Assert.That(await User.PostAsync("/v1/conversations", Json(body)).OutcomeAsync(), Is.EqualTo("400 invalid-request"));

    [TestCase("""{"name": "Caf\u00e9", "participantIds": []}""", "#/name")]
    [TestCase("""{"name": "a", "participantIds": [], "metadata": {"a": "Caf\u00e9"}}""", "#/metadata")]
    public async Task A_body_in_another_encoding_is_told_that_it_is_not_in_UTF_8(string body, string pointer)
    {
        using var response = await User.PostAsync(
            "/v1/conversations", Json(Encoding.Latin1.GetBytes(body.Replace("\\u00e9", "\u00e9", StringComparison.Ordinal))));
        var error = (await response.JsonAsync()).GetProperty("errors")[0];
        Assert.Multiple(() =>
        {
            Assert.That(error.GetProperty("pointer").GetString(), Is.EqualTo(pointer));
            Assert.That(error.GetProperty("detail").GetString(), Is.EqualTo("The text is not in UTF-8."));
        });
    }

    [Test]
    public async Task A_wrong_word_of_an_enumeration_is_told_the_right_ones()
    {
        var id = Guid.CreateVersion7();
        using var response = await User.PostAsync(
            $"/v1/conversations/{id}/participants", Json("""{"userIds": ["ben"], "role": "boss"}"""u8.ToArray()));
        var error = (await response.JsonAsync()).GetProperty("errors")[0];
        Assert.Multiple(() =>
        {
            Assert.That(error.GetProperty("pointer").GetString(), Is.EqualTo("#/role"));
            Assert.That(error.GetProperty("detail").GetString(), Is.EqualTo("Expected: one of owner, admin, member."));
        });
    }

    [TestCase("$", "")]
    [TestCase("$.", "/")]
    [TestCase("$.a.", "a/")]
    [TestCase("$.a[0].b", "a/0/b")]
    [TestCase("$['a.b'].c", "a.b/c")]
    [TestCase("$['it~s/so']", "it~0s~1so")]
    public void A_readers_path_names_a_member(string path, string member) =>
        Assert.That(new JsonPath(path).Member, Is.EqualTo(member));

    static ByteArrayContent Json(byte[] body) => new(body) { Headers = { { "Content-Type", "application/json" } } };
}
