using System.Net.Http.Json;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;

namespace Messaging.Api.Tests.Surface;

public sealed class IfMatchTests
{
    private const string Mismatch = "412 version-mismatch";
    private const string Invalid = "400 invalid-request";

    private ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        api = await ApiHost.StartAsync();
        await api.ClientFor("ben").GetAsync("/v1/me");
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [TestCase("\"v\"", ExpectedResult = "200")]
    [TestCase("v", ExpectedResult = "200")]
    [TestCase("*", ExpectedResult = "200")]
    [TestCase("\"99\", \"v\"", ExpectedResult = "200")]
    [TestCase("\"99\"", ExpectedResult = Mismatch)]
    [TestCase("99", ExpectedResult = Mismatch)]
    [TestCase("\"another's\"", ExpectedResult = Mismatch)]
    [TestCase("W/\"v\"", ExpectedResult = Mismatch)]
    [TestCase("", ExpectedResult = Invalid)]
    [TestCase("junk", ExpectedResult = Invalid)]
    [TestCase("\"v", ExpectedResult = Invalid)]
    [TestCase("99, v", ExpectedResult = Invalid)]
    [TestCase("*, \"v\"", ExpectedResult = Invalid)]
    [TestCase("99999999999999999999", ExpectedResult = Invalid)]
    public async Task<string> If_Match_takes_a_quoted_or_bare_version_a_list_or_a_star(string header)
    {
        var version = (await (await GroupAsync()).JsonAsync()).GetProperty("version").GetRawText();

        return await RenameAsync(header.Replace("v", version, StringComparison.Ordinal)).OutcomeAsync();
    }

    [TestCase("")]
    [TestCase("junk")]
    public async Task A_malformed_If_Match_is_refused_with_an_example(string header)
    {
        await GroupAsync();
        using var answer = await RenameAsync(header);

        var error = (await answer.JsonAsync()).GetProperty("errors")[0];
        Assert.That(error.GetProperty("pointer").GetString(), Is.EqualTo("#/If-Match"));
        Assert.That(error.GetProperty("detail").GetString(), Does.Contain("\"3\""));
    }

    private string group = "";

    private async Task<HttpResponseMessage> GroupAsync()
    {
        var made = await api.ClientFor("anna")
            .PostAsJsonAsync("/v1/conversations", new { name = "Group", participantIds = (string[])["ben"] });
        group = made.Headers.Location!.ToString();
        return made;
    }

    private Task<HttpResponseMessage> RenameAsync(string header)
    {
        var request = new HttpRequestMessage(HttpMethod.Patch, group) { Content = JsonContent.Create(new { name = "Renamed" }) };
        request.Headers.TryAddWithoutValidation("If-Match", header);
        return api.ClientFor("anna").SendAsync(request);
    }
}
