using System.Diagnostics;
using System.Net;
using System.Text;
using Messaging.Testing;
using Microsoft.IdentityModel.Tokens;

namespace Messaging.Api.Tests.Auth;

public sealed class UserTokenTests
{
    const string Refused = "401 unauthenticated";

    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task A_good_token_lets_its_user_in() =>
        Assert.That(await MeAsync(ApiHost.Token("anna")), Is.EqualTo("200"));

    [Test]
    public async Task Without_a_credential_nothing_is_served_and_the_answer_says_how()
    {
        using var response = await api.AnonymousClient().GetAsync("/v1/me");

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(response.Headers.WwwAuthenticate.ToString(), Is.EqualTo("Bearer realm=\"messaging\""));
        Assert.That((await response.JsonAsync()).GetProperty("type").GetString(), Is.EqualTo("urn:messaging:problem:unauthenticated"));
    }

    [Test]
    public async Task A_bad_token_is_told_apart_from_none()
    {
        using var response = await api.ClientWithToken("nonsense").GetAsync("/v1/me");

        Assert.That(response.Headers.WwwAuthenticate.ToString(), Does.Contain("error=\"invalid_token\""));
    }

    [Test]
    public async Task A_token_signed_with_another_secret_is_refused()
    {
        var key = new SymmetricSecurityKey(Encoding.UTF8.GetBytes("another-secret-of-at-least-32-bytes-length"));
        var token = ApiHost.Token(Payload(), new SigningCredentials(key, SecurityAlgorithms.HmacSha256));

        Assert.That(await MeAsync(token), Is.EqualTo(Refused));
    }

    [Test]
    public async Task A_token_whose_payload_was_changed_is_refused()
    {
        var parts = ApiHost.Token("anna").Split('.');
        var forged = Encode(
            Encoding.UTF8.GetString(Base64UrlEncoder.DecodeBytes(parts[1])).Replace("anna", "bert", StringComparison.Ordinal));

        Assert.That(await MeAsync($"{parts[0]}.{forged}.{parts[2]}"), Is.EqualTo(Refused));
    }

    [TestCase("none")]
    [TestCase("None")]
    [TestCase("nOnE")]
    public async Task A_token_that_asks_for_no_algorithm_is_refused(string algorithm)
    {
        var payload = ApiHost.Token("anna").Split('.')[1];
        var header = Encode($$"""{"alg":"{{algorithm}}","typ":"JWT"}""");

        Assert.That(await MeAsync($"{header}.{payload}."), Is.EqualTo(Refused));
    }

    [Test]
    public async Task An_algorithm_without_a_configured_key_is_refused()
    {
        var key = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(ApiHost.Hs256Secret + ApiHost.Hs256Secret));

        Assert.That(
            await MeAsync(ApiHost.Token(Payload(), new SigningCredentials(key, SecurityAlgorithms.HmacSha512))), Is.EqualTo(Refused));
    }

    [TestCase("iss", "https://other.test")]
    [TestCase("iss", null)]
    [TestCase("aud", "other")]
    [TestCase("aud", ApiHost.Audience + "/")]
    [TestCase("aud", null)]
    [TestCase("exp", null)]
    [TestCase("exp", "tomorrow")]
    [TestCase("sub", null)]
    [TestCase("sub", "")]
    [TestCase("sub", "no spaces")]
    public async Task A_token_with_a_wrong_or_missing_claim_is_refused(string claim, string? value) =>
        Assert.That(await MeAsync(ApiHost.Token("anna", lifetime: null, (claim, value))), Is.EqualTo(Refused));

    [Test]
    public async Task One_of_several_audiences_is_enough() =>
        Assert.That(await MeAsync(ApiHost.Token("anna", lifetime: null, ("aud", new[] { "other", ApiHost.Audience }))), Is.EqualTo("200"));

    [Test]
    public async Task An_expired_token_is_refused() =>
        Assert.That(await MeAsync(ApiHost.Token("anna", TimeSpan.FromSeconds(-1))), Is.EqualTo(Refused));

    [Test]
    public async Task A_token_seen_before_is_refused_once_it_expires()
    {
        var token = ApiHost.Token("anna", TimeSpan.FromSeconds(2));
        Assert.That(await MeAsync(token), Is.EqualTo("200"));

        var waiting = Stopwatch.StartNew();
        var outcome = "200";
        while (outcome == "200" && waiting.Elapsed < TimeSpan.FromSeconds(10))
            outcome = await MeAsync(token);

        Assert.That(outcome, Is.EqualTo(Refused));
        Assert.That(waiting.Elapsed, Is.LessThan(TimeSpan.FromSeconds(3)));
    }

    [TestCase(20, ExpectedResult = "200")]
    [TestCase(120, ExpectedResult = Refused)]
    public Task<string> A_token_that_is_not_valid_yet_is_refused_but_for_a_small_skew_of_clocks(int seconds) =>
        MeAsync(ApiHost.Token("anna", lifetime: null, ("nbf", DateTimeOffset.UtcNow.AddSeconds(seconds).ToUnixTimeSeconds())));

    [TestCase(20, ExpectedResult = "200")]
    [TestCase(120, ExpectedResult = Refused)]
    public Task<string> A_token_that_was_issued_in_the_future_is_refused_but_for_a_small_skew_of_clocks(int seconds) =>
        MeAsync(ApiHost.Token("anna", lifetime: null, ("iat", DateTimeOffset.UtcNow.AddSeconds(seconds).ToUnixTimeSeconds())));

    [TestCase("exp")]
    [TestCase("nbf")]
    [TestCase("iat")]
    public async Task A_time_in_milliseconds_is_refused_with_the_word_for_it(string claim)
    {
        var token = ApiHost.Token("anna", lifetime: null, (claim, DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds()));

        using var response = await api.ClientWithToken(token).GetAsync("/v1/me");

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That((await response.JsonAsync()).GetProperty("detail").GetString(),
            Does.Contain($"'{claim}'").And.Contain("seconds, not milliseconds"));
    }

    [Test]
    public async Task The_last_second_of_all_calendars_is_a_good_expiry() =>
        Assert.That(await MeAsync(ApiHost.Token("anna", lifetime: null, ("exp", 253402300799))), Is.EqualTo("200"));

    [Test]
    public async Task A_critical_header_that_nobody_understands_is_refused()
    {
        var parts = ApiHost.Token("anna").Split('.');
        var header = Encode("""{"alg":"HS256","typ":"JWT","crit":["x"],"x":1}""");
        using var hmac = new System.Security.Cryptography.HMACSHA256(Encoding.UTF8.GetBytes(ApiHost.Hs256Secret));
        var signature = Base64UrlEncoder.Encode(hmac.ComputeHash(Encoding.ASCII.GetBytes($"{header}.{parts[1]}")));

        Assert.That(await MeAsync($"{header}.{parts[1]}.{signature}"), Is.EqualTo(Refused));
    }

    [TestCase("a")]
    [TestCase("a.b")]
    [TestCase("a.b.c")]
    [TestCase("a.b.c.d.e")]
    [TestCase("e30.e30.")]
    [TestCase("bnVsbA.bnVsbA.bnVsbA")]
    [TestCase("eyJhbGciOjF9.eyJzdWIiOjF9.x")]
    [TestCase("eyJhbGciOiJIUzI1NiJ9.W10.x")]
    [TestCase("eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjFlMzA4fQ.x")]
    public async Task A_malformed_token_is_refused(string token) =>
        Assert.That(await MeAsync(token), Is.EqualTo(Refused));

    [TestCase("42")]
    [TestCase("2026-11-20T10:15:30Z")]
    [TestCase("3f2504e0-4f89-11d3-9a0c-0305e82c3301")]
    public async Task An_id_that_looks_like_something_else_is_taken_as_it_is_written(string id)
    {
        using var response = await api.ClientFor(id).GetAsync("/v1/me");

        Assert.That((await response.JsonAsync()).GetProperty("userId").GetString(), Is.EqualTo(id));
    }

    [Test]
    public async Task A_number_is_no_user_id() =>
        Assert.That(await MeAsync(ApiHost.Token("42", lifetime: null, ("sub", 42))), Is.EqualTo(Refused));

    [TestCase(1e308)]
    [TestCase(-1e308)]
    [TestCase(99999999999999999.0)]
    public async Task A_time_beyond_all_time_is_refused(double expiry) =>
        Assert.That(await MeAsync(ApiHost.Token("anna", lifetime: null, ("exp", expiry))), Is.EqualTo(Refused));

    [Test]
    public async Task Another_scheme_is_refused()
    {
        var client = api.AnonymousClient();
        client.DefaultRequestHeaders.Add("Authorization", "Basic YTpi");

        Assert.That(await client.GetAsync("/v1/me").OutcomeAsync(), Is.EqualTo(Refused));
    }

    [Test]
    public async Task A_token_in_the_address_counts_on_the_hub_only() =>
        Assert.That(
            await api.AnonymousClient().GetAsync($"/v1/me?access_token={ApiHost.Token("anna")}").OutcomeAsync(), Is.EqualTo(Refused));

    [Test]
    public async Task A_user_says_who_acts_by_the_token_alone()
    {
        var client = api.ClientFor("anna");
        client.DefaultRequestHeaders.Add("X-User-Id", "bert");

        Assert.That(await client.GetAsync("/v1/me").PointersAsync(), Is.EqualTo("#/X-User-Id"));
    }

    [Test]
    public async Task Two_credentials_at_once_are_refused()
    {
        var client = api.ClientFor("anna");
        client.DefaultRequestHeaders.Add("X-Api-Key", ApiHost.ServiceKey);

        Assert.That(await client.GetAsync("/v1/me").OutcomeAsync(), Is.EqualTo("400 invalid-request"));
    }

    Task<string> MeAsync(string token) => api.ClientWithToken(token).GetAsync("/v1/me").OutcomeAsync();

    static Dictionary<string, object?> Payload() => new(StringComparer.Ordinal)
    {
        ["sub"] = "anna",
        ["iss"] = ApiHost.Issuer,
        ["aud"] = ApiHost.Audience,
        ["exp"] = DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds(),
    };

    static string Encode(string text) => Base64UrlEncoder.Encode(text);
}
