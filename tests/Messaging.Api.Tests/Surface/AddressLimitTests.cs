using System.Net.Http.Headers;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;
using Npgsql;

namespace Messaging.Api.Tests.Surface;

public sealed class AddressLimitTests
{
    const string Junk = "msk_nobody_0123456789abcdef0123456789abcdef";
    static int addresses;
    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync(
        ("Messaging:RateLimits:Enabled", "true"),
        ("Messaging:RateLimits:AddressPerMinute", "2"),
        ("Messaging:RateLimits:FailedCredentialsPerMinute", "2"),
        ("Messaging:Proxies:0", "127.0.0.0/8"));

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [TestCase("/health/live")]
    [TestCase("/health/ready")]
    [TestCase("/openapi/v1.json")]
    [TestCase("/docs/index.html")]
    [TestCase("/files/0193f3a0-0000-7000-8000-000000000000/original?expires=1&signature=x")]
    [TestCase("/nothing")]
    [TestCase("/hubs/messaging/negotiate")]
    [TestCase("/hubs/messaging?access_token=x")]
    public async Task Outside_the_API_the_address_counts(string path)
    {
        var client = From(NewAddress());
        await client.GetAsync(path);
        await client.GetAsync(path);
        using var third = await client.GetAsync(path);
        Assert.Multiple(() =>
        {
            Assert.That((int)third.StatusCode, Is.EqualTo(429));
            Assert.That(third.Headers.RetryAfter!.Delta!.Value.TotalSeconds, Is.InRange(1, 60));
            Assert.That(third.Headers.Contains("RateLimit-Policy"));
        });
    }

    [Test]
    public async Task Probes_are_answered_whatever_else_their_address_asks_for()
    {
        var client = From(NewAddress());
        for (var i = 0; i < 3; i++)
            await client.GetAsync("/nothing");
        Assert.That(await client.GetAsync("/health/ready").OutcomeAsync(), Is.EqualTo("200"));
    }

    [Test]
    public async Task Guessed_keys_are_refused_before_the_database_is_asked()
    {
        var address = NewAddress();
        await UseUpAsync(address);
        await using var connection = await api.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand("LOCK TABLE service_keys", connection, transaction);
        await hold.ExecuteNonQueryAsync();

        Assert.That(await WithKeyAsync(address, Junk), Is.EqualTo("429 rate-limited"));
    }

    [TestCase("not.a.token")]
    [TestCase("")]
    public async Task Guessed_tokens_count_as_well(string token)
    {
        var address = NewAddress();
        var guess = token.Length > 0 ? token : ApiHost.Token("anna")[..^4] + "AAAA";
        Assert.That(await WithTokenAsync(address, guess), Is.EqualTo("401 unauthenticated"));
        await WithKeyAsync(address, Junk);
        Assert.That(await WithTokenAsync(address, guess), Is.EqualTo("429 rate-limited"));
    }

    [Test]
    public async Task Who_shares_an_address_with_a_guesser_still_comes_in()
    {
        var address = NewAddress();
        var key = await CreateKeyAsync();
        Assert.That(await WithKeyAsync(NewAddress(), key), Is.EqualTo("200"));
        await UseUpAsync(address);
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(await WithKeyAsync(address, key), Is.EqualTo("200"));
            Assert.That(await WithKeyAsync(address, ApiHost.ServiceKey), Is.EqualTo("200"));
            Assert.That(await WithTokenAsync(address, ApiHost.Token("anna")), Is.EqualTo("200"));
        });
    }

    [Test]
    public async Task Tokens_that_have_expired_are_no_guesses()
    {
        var address = NewAddress();
        var expired = ApiHost.Token("anna", TimeSpan.FromMinutes(-5));
        for (var i = 0; i < 3; i++)
            await WithTokenAsync(address, expired);
        Assert.That(await WithTokenAsync(address, expired), Is.EqualTo("401 unauthenticated"));
    }

    [Test]
    public async Task One_address_does_not_use_up_anothers_guesses()
    {
        await UseUpAsync(NewAddress());
        Assert.That(await WithKeyAsync(NewAddress(), Junk), Is.EqualTo("401 unauthenticated"));
    }

    async Task UseUpAsync(string address)
    {
        for (var i = 0; i < 3; i++)
            await WithKeyAsync(address, Junk);
    }

    async Task<string> CreateKeyAsync()
    {
        var client = From(NewAddress());
        client.DefaultRequestHeaders.Add("X-Api-Key", ApiHost.ServiceKey);
        var answer = await client.PostAsync("/v1/admin/keys", new StringContent(
            """{"name":"own","scopes":["users"]}""", MediaTypeHeaderValue.Parse("application/json")));
        return (await answer.JsonAsync()).GetProperty("key").GetString()!;
    }

    Task<string> WithKeyAsync(string address, string key)
    {
        var client = From(address);
        client.DefaultRequestHeaders.Add("X-Api-Key", key);
        return client.GetAsync("/v1/users?ids=anna").OutcomeAsync();
    }

    Task<string> WithTokenAsync(string address, string token)
    {
        var client = From(address);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client.GetAsync("/v1/unread").OutcomeAsync();
    }

    HttpClient From(string address)
    {
        var client = api.AnonymousClient();
        client.DefaultRequestHeaders.Add("X-Forwarded-For", address);
        return client;
    }

    static string NewAddress() => $"192.0.2.{Interlocked.Increment(ref addresses)}";
}
