using System.Net;
using Messaging.Api.Configuration;
using Messaging.Api.Security;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Surface;

public sealed class ProxyTests
{
    ApiHost behind = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => behind = await StartAsync("127.0.0.0/8", "10.0.0.0/8");

    [OneTimeTearDown]
    public async Task StopAsync() => await behind.DisposeAsync();

    [Test]
    public async Task Behind_a_trusted_proxy_each_caller_has_a_budget() => await Assert.MultipleAsync(async () =>
    {
        Assert.That(await AskAsync(behind, "192.0.2.101"), Is.EqualTo("401 unauthenticated"));
        Assert.That(await AskAsync(behind, "192.0.2.101"), Is.EqualTo("429 rate-limited"));
        Assert.That(await AskAsync(behind, "192.0.2.102"), Is.EqualTo("401 unauthenticated"));
    });

    [TestCase("192.0.2.1", "192.0.2.1")]
    [TestCase("192.0.2.2", "198.51.100.7, 192.0.2.2")]
    [TestCase("192.0.2.3", "10.1.2.3, 192.0.2.3")]
    [TestCase("192.0.2.4", "192.0.2.4, 10.1.2.3")]
    [TestCase("192.0.2.5", "198.51.100.8, 192.0.2.5, 10.9.9.9, 10.1.2.3")]
    [TestCase("192.0.2.6", "192.0.2.6:4711")]
    public async Task The_caller_is_the_first_address_from_the_right_that_is_no_proxys(string address, string forwarded)
    {
        Assert.That(await AskAsync(behind, address), Is.EqualTo("401 unauthenticated"));
        Assert.That(await AskAsync(behind, forwarded), Is.EqualTo("429 rate-limited"));
    }

    [TestCase("10.0.0.0/8")]
    [TestCase("")]
    public async Task Forwarded_headers_of_an_untrusted_sender_change_nothing(string trusted)
    {
        await using var api = await StartAsync(trusted);
        await AskAsync(api, "192.0.2.1");
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(await AskAsync(api, "192.0.2.2"), Is.EqualTo("429 rate-limited"));
            Assert.That(await CallFromPageAsync(api), Is.EqualTo("403 not-allowed"));
        });
    }

    [Test]
    public async Task A_trusted_proxy_says_by_which_name_it_was_called() =>
        Assert.That(await CallFromPageAsync(behind), Is.EqualTo("200"));

    [Test]
    public async Task The_frameworks_own_switch_does_not_have_everybody_believed()
    {
        await using var database = await TestDatabaseServer.CreateDatabaseAsync(Slices.MigrateAsync);
        using var service = ServiceProcess.Start(
            database.ConnectionString, ("ASPNETCORE_FORWARDEDHEADERS_ENABLED", "true"), ("Messaging__RateLimits__RequestsPerMinute", "1"));
        await service.UntilAsync("/health/ready", HttpStatusCode.OK);
        await AskAsync(service.Client, "192.0.2.1");
        Assert.That(await AskAsync(service.Client, "192.0.2.2"), Is.EqualTo("429 rate-limited"));
    }

    [TestCase("10.0.0.0/8", ExpectedResult = true)]
    [TestCase("10.1.2.3", ExpectedResult = true)]
    [TestCase("fd00::/8", ExpectedResult = true)]
    [TestCase("::1", ExpectedResult = true)]
    [TestCase("", ExpectedResult = true)]
    [TestCase("10.0.0.1/8", ExpectedResult = false)]
    [TestCase("10.0.0.0/33", ExpectedResult = false)]
    [TestCase("10.1", ExpectedResult = false)]
    [TestCase("0.0.0.0/0", ExpectedResult = false)]
    [TestCase("::/0", ExpectedResult = false)]
    [TestCase("proxy.internal", ExpectedResult = false)]
    public bool A_network_is_checked_at_start(string network) => Errors("Messaging:Proxies:0", network).Count == 0;

    [Test]
    public void One_setting_for_all_networks_is_refused_with_the_way_to_write_them() => Assert.That(
        Errors("Messaging:Proxies", "10.0.0.0/8"), Is.EqualTo((string[])
        [
            "Messaging__Proxies: write one network to a setting: Messaging__Proxies__0, __1 and so on.",
        ]));

    static IReadOnlyList<string> Errors(string name, string value)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(name, value)]).Build();
        using var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddTrustedProxies().BuildServiceProvider();
        return services.FindConfigurationErrors();
    }

    static Task<ApiHost> StartAsync(params string[] trusted) => ApiHost.StartAsync(
        [.. trusted.Select((network, i) => ($"Messaging:Proxies:{i}", (string?)network)),
            ("Messaging:RateLimits:Enabled", "true"), ("Messaging:RateLimits:RequestsPerMinute", "1")]);

    static Task<string> AskAsync(ApiHost api, string forwarded) => AskAsync(api.AnonymousClient(), forwarded);

    static async Task<string> AskAsync(HttpClient client, string forwarded)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/unread");
        request.Headers.Add("X-Forwarded-For", forwarded);
        return await client.SendAsync(request).OutcomeAsync();
    }

    // The page stands at the public name, which the service knows from the proxy alone.
    static async Task<string> CallFromPageAsync(ApiHost api)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health/live");
        request.Headers.Add("Origin", "https://chat.example");
        request.Headers.Add("X-Forwarded-For", "192.0.2.7");
        request.Headers.Add("X-Forwarded-Proto", "https");
        request.Headers.Add("X-Forwarded-Host", "chat.example");
        return await api.AnonymousClient().SendAsync(request).OutcomeAsync();
    }
}
