using Messaging.Api.Realtime;
using Messaging.Api.Tests.Auth;
using Messaging.Api.Tests.Events;
using Messaging.Application.Revocations;
using Messaging.Domain.Common;
using Messaging.Testing;
using NodaTime;

namespace Messaging.Api.Tests.Realtime;

/// <summary>A service whose database's time is an hour before what the node's own clock says.</summary>
public sealed class ExpiryTests : HubFixture
{
    private readonly Times times = new();

    protected override Task<ApiHost> StartHostAsync() => ApiHost.StartAsync(times, [.. Settings()]);

    [Test]
    public async Task A_connection_ends_when_its_token_is_over_by_the_databases_time_and_not_before()
    {
        var user = await UserAsync();
        await using var longer = await ConnectAsync(user, TimeSpan.FromMinutes(-20));
        await using var shorter = await ConnectAsync(user, TimeSpan.FromMinutes(-40));

        times.Advance(Duration.FromMinutes(30));

        Assert.That(await shorter.Closed, Is.Null);
        await ExecuteAsync($"INSERT INTO outbox (occurred_at, user_id, type, payload) VALUES (now(), '{user}', 'test:event', '{{}}')");
        await longer.NextAsync("test:event");
    }

    [Test]
    public async Task An_event_stream_ends_when_its_token_is_over()
    {
        var token = ApiHost.Token(await UserAsync(), TimeSpan.FromHours(5));
        await using var stream = await EventClient.OpenAsync(Api.ClientWithToken(token));

        times.Advance(Duration.FromHours(9));

        await stream.EndAsync();
    }

    [Test]
    public async Task A_token_that_is_over_by_the_nodes_clock_alone_is_looked_up_once()
    {
        var user = $"user-{Guid.NewGuid():N}";
        var client = Api.ClientWithToken(ApiHost.Token(user, TimeSpan.FromMinutes(-10)));
        Assert.That(await client.GetAsync("/v1/me").OutcomeAsync(), Is.EqualTo("200"));
        await ExecuteAsync($"DELETE FROM users WHERE id = '{user}'");

        Assert.That(await client.GetAsync("/v1/me").OutcomeAsync(), Is.EqualTo("404 not-found"));
    }

    [Test]
    public async Task A_token_that_is_known_is_refused_once_it_is_over_by_the_databases_time()
    {
        var client = Api.ClientWithToken(ApiHost.Token($"user-{Guid.NewGuid():N}", TimeSpan.FromHours(1)));
        Assert.That(await client.GetAsync("/v1/me").OutcomeAsync(), Is.EqualTo("200"));

        times.Advance(Duration.FromHours(3));

        Assert.That(await client.GetAsync("/v1/me").OutcomeAsync(), Is.EqualTo("401 unauthenticated"));
    }

    [Test]
    public void Calls_on_a_connection_whose_token_is_over_are_refused()
    {
        var connections = new LiveConnections(new RevocationList(TimeProvider.System));
        var end = Instant.FromUtc(2026, 1, 1, 0, 0);
        var live = new LiveConnection(new Wire(), false) { Credential = new Credential(new UserId("ada"), null, null, null, end) };
        connections.TryAdd("ada", live, 20);

        connections.EndExpired(end - Duration.Epsilon);
        var before = live.HasEnded;
        connections.EndExpired(end);

        Assert.That((before, live.HasEnded), Is.EqualTo((false, true)));
    }

    [TearDown]
    public void Reset() => times.Reset();

    private Task<HubClient> ConnectAsync(string user, TimeSpan lifetime) =>
        HubClient.ConnectAsync(Api.Address, ApiHost.Token(user, lifetime));

    private sealed class Times : IClock
    {
        private static readonly Duration Behind = Duration.FromHours(-1);

        private Duration offset = Behind;

        public Instant GetCurrentInstant() => SystemClock.Instance.GetCurrentInstant() + offset;

        public void Advance(Duration by) => offset += by;

        public void Reset() => offset = Behind;
    }
}
