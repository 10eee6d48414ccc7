using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Testing;

namespace Messaging.Api.Tests.Users;

public sealed class MeTests
{
    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task A_user_seen_for_the_first_time_has_a_profile_and_limits()
    {
        var me = await api.ClientFor("anna").GetFromJsonAsync<JsonElement>("/v1/me");

        Assert.That(me.GetProperty("userId").GetString(), Is.EqualTo("anna"));
        Assert.That(me.GetProperty("limits").GetProperty("groupSize").GetInt32(), Is.EqualTo(300));
    }
}
