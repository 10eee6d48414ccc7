using Messaging.Testing;

namespace Messaging.Api.Tests.Auth;

public sealed class FirstSightTests
{
    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task A_new_user_has_the_name_and_picture_of_the_token()
    {
        using var response = await MeAsync("anna", ("name", "Anna Ä. 🦊"), ("picture", "https://host.test/anna.png"));
        var me = await response.JsonAsync();

        Assert.That(me.GetProperty("displayName").GetString(), Is.EqualTo("Anna Ä. 🦊"));
        Assert.That(me.GetProperty("avatarUrl").GetString(), Is.EqualTo("https://host.test/anna.png"));
    }

    [Test]
    public async Task A_user_who_is_there_keeps_their_profile()
    {
        await MeAsync("bert", ("name", "Bert"));

        using var response = await MeAsync("bert", ("name", "Another name"));

        Assert.That((await response.JsonAsync()).GetProperty("displayName").GetString(), Is.EqualTo("Bert"));
    }

    [Test]
    public async Task A_name_that_is_too_long_is_cut_and_a_picture_that_is_none_left_out()
    {
        using var response = await MeAsync(
            "carla", ("name", string.Concat(Enumerable.Repeat("🦊", 300))), ("picture", "javascript:alert(1)"));
        var me = await response.JsonAsync();

        Assert.That(me.GetProperty("displayName").GetString(), Is.EqualTo(string.Concat(Enumerable.Repeat("🦊", 200))));
        Assert.That(me.GetProperty("avatarUrl").GetString(), Is.Null);
    }

    [TestCase(1)]
    [TestCase("a\0b")]
    [TestCase(true)]
    public async Task A_name_that_cannot_be_kept_is_left_out(object name)
    {
        using var response = await MeAsync($"dora-{name.GetType().Name}", ("name", name));

        Assert.That((await response.JsonAsync()).GetProperty("displayName").GetString(), Is.Null);
    }

    [Test]
    public async Task Twenty_simultaneous_first_sights_make_one_user()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => MeAsync("emil", ("name", $"Emil {i}"))));

        var names = new HashSet<string?>();
        foreach (var answer in answers)
            names.Add((await answer.JsonAsync()).GetProperty("displayName").GetString());
        await using var count = api.Database.DataSource.CreateCommand("SELECT count(*) FROM users WHERE id = 'emil'");
        Assert.That(names, Has.Count.EqualTo(1));
        Assert.That(await count.ExecuteScalarAsync(), Is.EqualTo(1));
    }

    [Test]
    public async Task A_token_is_looked_up_once()
    {
        var client = api.ClientFor("fritz");
        await client.GetAsync("/v1/me");
        await using (var delete = api.Database.DataSource.CreateCommand("DELETE FROM users WHERE id = 'fritz'"))
            await delete.ExecuteNonQueryAsync();

        Assert.That(await client.GetAsync("/v1/me").OutcomeAsync(), Is.EqualTo("404 not-found"));
    }

    Task<HttpResponseMessage> MeAsync(string user, params (string, object?)[] claims) =>
        api.ClientWithToken(ApiHost.Token(user, lifetime: null, claims)).GetAsync("/v1/me");
}
