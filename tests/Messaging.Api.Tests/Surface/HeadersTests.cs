using Messaging.Api.Tests.Auth;
using Messaging.Testing;

namespace Messaging.Api.Tests.Surface;

public sealed class HeadersTests
{
    const string Friend = "https://app.example.com";
    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync(("Messaging:Cors:Origins:0", Friend));

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [TestCase("/v1/unread")]
    [TestCase("/nothing")]
    [TestCase("/health/live")]
    public async Task Every_answer_tells_browsers_to_guess_frame_and_keep_nothing(string path)
    {
        using var response = await api.AnonymousClient().GetAsync(path);
        Assert.Multiple(() =>
        {
            Assert.That(Header(response, "X-Content-Type-Options"), Is.EqualTo("nosniff"));
            Assert.That(Header(response, "Referrer-Policy"), Is.EqualTo("no-referrer"));
            Assert.That(Header(response, "Cache-Control"), Is.EqualTo("no-store"));
            Assert.That(
                Header(response, "Content-Security-Policy"), Does.Contain("default-src 'none'").And.Contain("frame-ancestors 'none'"));
            Assert.That(response.Headers.Contains("Server"), Is.False);
        });
    }

    [TestCase("/v1/unread")]
    [TestCase("/hubs/v1?access_token=x")]
    [TestCase("/health/live")]
    public async Task A_page_of_a_foreign_origin_is_refused(string path)
    {
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(await FromAsync("https://evil.example", HttpMethod.Get, path).OutcomeAsync(), Is.EqualTo("403 not-allowed"));
            Assert.That(await FromAsync("null", HttpMethod.Get, path).OutcomeAsync(), Is.EqualTo("403 not-allowed"));
        });
    }

    [Test]
    public async Task A_page_of_a_configured_origin_may_call_and_read()
    {
        using var response = await FromAsync(Friend, HttpMethod.Get, "/v1/unread");
        Assert.Multiple(() =>
        {
            Assert.That((int)response.StatusCode, Is.EqualTo(401));
            Assert.That(Header(response, "Access-Control-Allow-Origin"), Is.EqualTo(Friend));
            Assert.That(Header(response, "Access-Control-Expose-Headers"), Does.Contain("ETag").And.Contain("RateLimit"));
        });
    }

    [Test]
    public async Task The_services_own_pages_may_call() => Assert.That(
        await FromAsync(api.Address.GetLeftPart(UriPartial.Authority), HttpMethod.Get, "/health/live").OutcomeAsync(), Is.EqualTo("200"));

    [Test]
    public async Task Another_port_is_another_origin() =>
        Assert.That(await FromAsync("http://127.0.0.1:1", HttpMethod.Get, "/health/live").OutcomeAsync(), Is.EqualTo("403 not-allowed"));

    [Test]
    public async Task A_preflight_is_answered()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/v1/conversations");
        request.Headers.Add("Origin", Friend);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,idempotency-key");
        using var response = await api.AnonymousClient().SendAsync(request);
        Assert.Multiple(() =>
        {
            Assert.That((int)response.StatusCode, Is.EqualTo(204));
            Assert.That(Header(response, "Access-Control-Allow-Methods"), Does.Contain("POST"));
            Assert.That(Header(response, "Access-Control-Allow-Headers"), Does.Contain("authorization"));
        });
    }

    Task<HttpResponseMessage> FromAsync(string origin, HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Origin", origin);
        return api.AnonymousClient().SendAsync(request);
    }

    static string Header(HttpResponseMessage response, string name) =>
        string.Join(", ", response.Headers.TryGetValues(name, out var values) ? values : []);
}
