using System.Text;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;

namespace Messaging.Api.Tests.Accounts;

public sealed class AccountSwitchTests
{
    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [TestCase("", """{"username":"anna","password":"a fox that reads at night"}""")]
    [TestCase("/login", """{"username":"anna","password":"a fox that reads at night"}""")]
    [TestCase("/refresh", """{"refreshToken":"x"}""")]
    [TestCase("/logout", """{"refreshToken":"x"}""")]
    [TestCase("/password", """{"currentPassword":"x","newPassword":"a fox that reads at night"}""")]
    [TestCase("/login", "nonsense")]
    public async Task Switched_off_no_call_is_there_for_anybody(string path, string body)
    {
        foreach (var client in new[] { api.AnonymousClient(), api.ClientFor("anna"), api.ServiceClient() })
        {
            Assert.That(
                await client.PostAsync("/v1/accounts" + path, new StringContent(body, Encoding.UTF8, "application/json")).OutcomeAsync(),
                Is.EqualTo("404 not-found"));
        }
    }

    [Test]
    public async Task Nor_by_another_method_or_with_another_body()
    {
        Assert.That(await api.AnonymousClient().GetAsync("/v1/accounts/login").OutcomeAsync(), Is.EqualTo("404 not-found"));
        Assert.That(
            await api.AnonymousClient().PostAsync("/v1/Accounts", new StringContent("x")).OutcomeAsync(), Is.EqualTo("404 not-found"));
    }
}
