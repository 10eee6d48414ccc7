using Messaging.Testing;

namespace Messaging.Api.Tests.Auth;

public sealed class SlowIssuerTests
{
    readonly ManualTime time = new();
    KeyServer issuer = null!;
    ApiHost api = null!;

    [SetUp]
    public async Task StartAsync()
    {
        issuer = await KeyServer.StartAsync();
        api = await ApiHost.StartAsync(
            time,
            ("Messaging:Auth:Hs256Secret", null),
            ("Messaging:Auth:JwksUrl", issuer.Address),
            ("Messaging:Auth:JwksTimeout", "00:01:00"));
    }

    [TearDown]
    public async Task StopAsync()
    {
        issuer.Release();
        await api.DisposeAsync();
        await issuer.DisposeAsync();
    }

    [Test]
    public async Task Known_keys_answer_while_an_unknown_one_is_looked_up()
    {
        var key = issuer.PublishRsa("one");
        Assert.That(await api.MeAsync(key, "anna"), Is.EqualTo("200"));
        time.Advance(TimeSpan.FromSeconds(5));

        issuer.Hold();
        var waiting = api.MeAsync(KeyServer.Unpublished(), "anna");
        await FetchesAsync(2);

        Assert.That(await api.MeAsync(key, "bert"), Is.EqualTo("200"));
        Assert.That(waiting.IsCompleted, Is.False);
    }

    [Test]
    public async Task Simultaneous_tokens_with_a_new_key_wait_for_one_fetch()
    {
        Assert.That(await api.MeAsync(issuer.PublishRsa("one"), "anna"), Is.EqualTo("200"));
        time.Advance(TimeSpan.FromSeconds(5));

        issuer.Hold();
        var renewed = issuer.PublishRsa("two");
        var waiting = Enumerable.Range(0, 20).Select(i => api.MeAsync(renewed, $"user-{i}")).ToArray();
        await FetchesAsync(2);
        issuer.Release();

        Assert.That(await Task.WhenAll(waiting), Is.All.EqualTo("200"));
        Assert.That(issuer.Fetches, Is.EqualTo(2));
    }

    [Test]
    public async Task A_new_key_that_cannot_be_looked_up_is_not_called_bad()
    {
        Assert.That(await api.MeAsync(issuer.PublishRsa("one"), "anna"), Is.EqualTo("200"));
        time.Advance(TimeSpan.FromSeconds(5));

        issuer.IsAway = true;

        Assert.That(await api.MeAsync(issuer.PublishRsa("two"), "anna"), Is.EqualTo("503 unavailable"));
    }

    [Test]
    public async Task Keys_of_half_a_day_ago_answer_while_they_are_fetched_again()
    {
        var key = issuer.PublishRsa("one");
        Assert.That(await api.MeAsync(key, "anna"), Is.EqualTo("200"));
        time.Advance(TimeSpan.FromHours(13));

        issuer.Hold();

        Assert.That(await api.MeAsync(key, "bert"), Is.EqualTo("200"));
        await FetchesAsync(2);
        Assert.That(await api.MeAsync(key, "carl"), Is.EqualTo("200"));
        Assert.That(issuer.Fetches, Is.EqualTo(2));
    }

    // Until the issuer was asked that often.
    async Task FetchesAsync(int count)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (issuer.Fetches < count)
            await timer.WaitForNextTickAsync();
    }
}
