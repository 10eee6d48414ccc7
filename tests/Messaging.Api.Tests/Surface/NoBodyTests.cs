using System.Text;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;

namespace Messaging.Api.Tests.Surface;

public sealed class NoBodyTests
{
    private const string Revoke = "/v1/users/anna/tokens/revoke";

    private ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [TestCase("POST", Revoke, "", ExpectedResult = "204")]
    [TestCase("POST", Revoke, "{}", ExpectedResult = "204")]
    [TestCase("POST", Revoke, " {\r\n} ", ExpectedResult = "204")]
    [TestCase("POST", Revoke, "{\"before\": 1}", ExpectedResult = "400 invalid-request")]
    [TestCase("POST", Revoke, "[]", ExpectedResult = "400 invalid-request")]
    [TestCase("POST", Revoke, "null", ExpectedResult = "400 invalid-request")]
    [TestCase("POST", Revoke, "before=1", ExpectedResult = "400 invalid-request")]
    [TestCase("POST", "/v1/conversations/0195e3a2-7c3f-7b1e-9a55-3f0a4d1c2b6e/archive", "{\"all\": true}",
        ExpectedResult = "400 invalid-request")]
    [TestCase("PUT", "/v1/blocks/anna", "{\"for\": \"ever\"}", ExpectedResult = "400 invalid-request")]
    [TestCase("DELETE", "/v1/blocks/anna", "{\"for\": \"ever\"}", ExpectedResult = "400 invalid-request")]
    public Task<string> A_call_without_a_body_refuses_members_like_any_other(string method, string path, string body) =>
        SendAsync(method, path, body).OutcomeAsync();

    [Test]
    public async Task An_unknown_member_is_pointed_at() =>
        Assert.That(await SendAsync("POST", Revoke, "{\"a/b\": 1}").PointersAsync(), Is.EqualTo("#/a~1b"));

    [Test]
    public async Task An_empty_object_passes_with_an_Idempotency_Key_too() =>
        Assert.That(await SendAsync("POST", Revoke, "{}", ("Idempotency-Key", "one")).OutcomeAsync(), Is.EqualTo("204"));

    private Task<HttpResponseMessage> SendAsync(string method, string path, string body, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(
            new HttpMethod(method), path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        var client = path == Revoke ? api.ServiceClient() : api.ClientFor("ben");
        return client.SendAsync(request);
    }
}
