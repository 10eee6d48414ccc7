using System.Net.Http.Json;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;

namespace Messaging.Api.Tests.Surface;

public sealed class TimeTests
{
    private const string Refused = "400 invalid-request";

    private ApiHost api = null!;
    private string group = "";

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        api = await ApiHost.StartAsync();
        await api.ClientFor("ben").GetAsync("/v1/me");
        using var made = await api.ClientFor("anna")
            .PostAsJsonAsync("/v1/conversations", new { name = "Group", participantIds = (string[])["ben"] });
        group = made.Headers.Location!.ToString();
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [TestCase("2046-11-20T10:15:30Z", ExpectedResult = "2046-11-20T10:15:30.000000Z")]
    [TestCase("2046-11-20T10:15:30.123456+00:00", ExpectedResult = "2046-11-20T10:15:30.123456Z")]
    [TestCase("2046-11-20T10:15:30-00:00", ExpectedResult = "2046-11-20T10:15:30.000000Z")]
    [TestCase("2046-11-20T10:15:30+05:30", ExpectedResult = "2046-11-20T04:45:30.000000Z")]
    [TestCase("2046-12-31T20:00:00-08:00", ExpectedResult = "2047-01-01T04:00:00.000000Z")]
    [TestCase("2046-11-20t10:15:30.5z", ExpectedResult = "2046-11-20T10:15:30.500000Z")]
    [TestCase("9999-12-31T23:59:59Z", ExpectedResult = "9999-12-31T23:59:59.000000Z")]
    public async Task<string?> A_time_in_a_body_may_have_any_offset_and_becomes_UTC(string time)
    {
        using var muted = await MuteAsync(time);
        return (await muted.JsonAsync()).GetProperty("mutedUntil").GetString();
    }

    [TestCase("2046-11-20T10:15:30")]
    [TestCase("2046-11-20")]
    [TestCase("2046-11-20T10:15:30+0530")]
    [TestCase("2046-11-20T10:15:30+25:00")]
    [TestCase("2046-02-30T10:15:30Z")]
    [TestCase("-0001-11-20T10:15:30Z")]
    [TestCase("0001-01-01T00:00:00+01:00")]
    [TestCase("9999-12-31T23:59:59-01:00")]
    public async Task A_time_that_is_invalid_or_has_no_offset_is_refused(string time)
    {
        Assert.That(await MuteAsync(time).OutcomeAsync(), Is.EqualTo(Refused));
        Assert.That(await SearchAsync("from", time).OutcomeAsync(), Is.EqualTo(Refused));
    }

    [TestCase("from", "2026-11-20T10:15:30+00:00")]
    [TestCase("to", "2026-11-20t10:15:30.25z")]
    [TestCase("from", "2026-11-20T10:15:30-08:00")]
    public async Task A_time_in_a_query_may_have_any_offset(string name, string time) =>
        Assert.That(await SearchAsync(name, time).OutcomeAsync(), Is.EqualTo("200"));

    [Test]
    public async Task A_plus_that_was_not_escaped_in_a_query_is_a_plus() =>
        Assert.That(await api.ClientFor("anna").GetAsync("/v1/search/messages?q=fox&from=2026-11-20T10:15:30+01:00").OutcomeAsync(),
            Is.EqualTo("200"));

    private Task<HttpResponseMessage> MuteAsync(string time) =>
        api.ClientFor("anna").PatchAsJsonAsync($"{group}/settings", new { mutedUntil = time });

    private Task<HttpResponseMessage> SearchAsync(string name, string time) =>
        api.ClientFor("anna").GetAsync($"/v1/search/messages?q=fox&{name}={Uri.EscapeDataString(time)}");
}
