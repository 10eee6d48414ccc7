using System.Diagnostics;
using Messaging.Testing;
using Microsoft.IdentityModel.Tokens;

namespace Messaging.Api.Tests.Auth;

public sealed class JwksTests
{
    KeyServer issuer = null!;
    ApiHost api = null!;

    [SetUp]
    public async Task StartAsync()
    {
        issuer = await KeyServer.StartAsync();
        api = await ApiHost.StartAsync(
            ("Messaging:Auth:Hs256Secret", null),
            ("Messaging:Auth:JwksUrl", issuer.Address),
            ("Messaging:Auth:JwksRefreshInterval", "00:00:01"));
    }

    [TearDown]
    public async Task StopAsync()
    {
        await api.DisposeAsync();
        await issuer.DisposeAsync();
    }

    [Test]
    public async Task Tokens_of_published_keys_are_good()
    {
        var (rsa, elliptic) = (issuer.PublishRsa("one"), issuer.PublishElliptic("two"));

        Assert.That((await MeAsync(rsa), await MeAsync(elliptic)), Is.EqualTo(("200", "200")));
        Assert.That(issuer.Fetches, Is.EqualTo(1));
    }

    [Test]
    public async Task A_key_published_later_is_found_by_its_id()
    {
        var old = issuer.PublishRsa("old");
        Assert.That(await MeAsync(old), Is.EqualTo("200"));

        var renewed = issuer.PublishRsa("new");

        Assert.That(await UntilAsync("200", () => MeAsync(renewed)), Is.EqualTo("200"));
    }

    [Test]
    public async Task A_withdrawn_key_is_refused_once_the_keys_are_fetched_again()
    {
        var old = issuer.PublishRsa("old");
        Assert.That(await MeAsync(old), Is.EqualTo("200"));

        issuer.Withdraw("old");
        var renewed = issuer.PublishRsa("new");
        await UntilAsync("200", () => MeAsync(renewed));

        Assert.That(await MeAsync(old, user: "bert"), Is.EqualTo("401 unauthenticated"));
    }

    [Test]
    public async Task Unknown_keys_do_not_make_the_issuer_busy()
    {
        issuer.PublishRsa("known");
        var (started, unknown) = (Stopwatch.StartNew(), KeyServer.Unpublished());

        for (var i = 0; i < 50; i++)
            Assert.That(await MeAsync(unknown), Is.EqualTo("401 unauthenticated"));

        Assert.That(issuer.Fetches, Is.LessThanOrEqualTo(2 + started.Elapsed.TotalSeconds));
    }

    [Test]
    public async Task A_published_shared_secret_signs_nothing() =>
        Assert.That(await MeAsync(issuer.PublishSecret("leaked")), Is.EqualTo("401 unauthenticated"));

    [Test]
    public async Task While_the_keys_were_never_fetched_nobody_is_told_that_the_token_is_bad()
    {
        var key = issuer.PublishRsa("one");
        issuer.IsAway = true;
        Assert.That(await MeAsync(key), Is.EqualTo("503 unavailable"));

        issuer.IsAway = false;

        Assert.That(await UntilAsync("200", () => MeAsync(key)), Is.EqualTo("200"));
    }

    [Test]
    public async Task Known_keys_serve_on_while_the_issuer_is_away()
    {
        var key = issuer.PublishRsa("one");
        Assert.That(await MeAsync(key), Is.EqualTo("200"));

        issuer.IsAway = true;

        Assert.That(await MeAsync(key, user: "bert"), Is.EqualTo("200"));
    }

    Task<string> MeAsync(SigningCredentials credentials, string user = "anna") => api.MeAsync(credentials, user);

    // The service waits a second between two fetches.
    static async Task<string> UntilAsync(string expected, Func<Task<string>> ask)
    {
        var waiting = Stopwatch.StartNew();
        var outcome = await ask();
        while (outcome != expected && waiting.Elapsed < TimeSpan.FromSeconds(10))
            outcome = await ask();
        return outcome;
    }
}
