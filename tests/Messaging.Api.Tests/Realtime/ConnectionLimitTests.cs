using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Messaging.Api.Realtime;
using Messaging.Api.Tests.Auth;
using Messaging.Api.Tests.Events;
using Messaging.Application.Revocations;
using Messaging.Testing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Messaging.Api.Tests.Realtime;

public sealed class ConnectionLimitTests : HubFixture
{
    private const int Most = 4;

    private const string WaitingSql =
        """
        SELECT count(*)
        FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%missed AS%'
        """;

    private LiveConnections Connections => Api.Services.GetRequiredService<LiveConnections>();

    protected override IEnumerable<(string Name, string? Value)> Settings() =>
    [
        ("Messaging:RateLimits:Enabled", "true"),
        ("Messaging:RateLimits:ConnectionsPerUser", $"{Most}"),
        ("Messaging:RateLimits:RequestsPerMinute", "50"),
    ];

    [Test]
    public async Task One_connection_too_many_is_refused_before_the_upgrade_and_says_when_to_come_back()
    {
        var user = await UserAsync();
        await FillAsync(user);
        using var late = new ClientWebSocket { Options = { CollectHttpResponseDetails = true } };

        Assert.That(
            () => late.ConnectAsync(HubClient.Address(Api.Address, ApiHost.Token(user)), CancellationToken.None),
            Throws.InstanceOf<WebSocketException>());
        Assert.That(late.HttpStatusCode, Is.EqualTo(HttpStatusCode.TooManyRequests));
        Assert.That(late.HttpResponseHeaders!["Retry-After"], Is.EqualTo((string[])["10"]));
        Assert.That(await NegotiateAsync(user), Is.EqualTo("429 rate-limited"));
    }

    [Test]
    public async Task There_is_room_again_when_one_of_them_is_closed_and_always_for_others()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var phones = await FillAsync(ada);

        Assert.That(await NegotiateAsync(bob), Is.EqualTo("200"));
        await phones[0].DisposeAsync();
        await UntilAsync(() => Connections.CountOf(ada) == Most - 1);
        Assert.That(await NegotiateAsync(ada), Is.EqualTo("200"));
    }

    [Test]
    public async Task Of_many_that_connect_at_once_no_more_than_that_stay()
    {
        var user = await UserAsync();
        var phones = (await Task.WhenAll(Enumerable.Range(0, 4 * Most).Select(_ => TryConnectAsync(user)))).OfType<HubClient>().ToArray();

        await UntilAsync(() => phones.Count(phone => phone.Connection.State is HubConnectionState.Connected) == Most);
        Assert.That(Connections.CountOf(user), Is.EqualTo(Most));
        foreach (var phone in phones)
            await phone.DisposeAsync();
    }

    [Test]
    public async Task Event_streams_count_as_connections()
    {
        var user = await UserAsync();
        await using var stream = await EventClient.OpenAsync(Api.ClientFor(user));
        for (var i = 1; i < Most; i++)
            await EventClient.OpenAsync(Api.ClientFor(user));

        Assert.That(await EventClient.SendAsync(Api.ClientFor(user)).OutcomeAsync(), Is.EqualTo("429 rate-limited"));
        Assert.That(await NegotiateAsync(user), Is.EqualTo("429 rate-limited"));
        await stream.DisposeAsync();
        await UntilAsync(() => Connections.CountOf(user) == Most - 1);
        Assert.That(await NegotiateAsync(user), Is.EqualTo("200"));
    }

    [Test]
    public void A_user_has_no_more_connections_than_allowed_however_they_race()
    {
        var connections = new LiveConnections(new RevocationList(TimeProvider.System));
        var taken = 0;
        Parallel.For(0, 500, _ =>
        {
            if (connections.TryAdd("ada", new LiveConnection(new Wire(), beginsWithReplay: false), 20))
                Interlocked.Increment(ref taken);
        });
        Assert.That((taken, connections.CountOf("ada")), Is.EqualTo((20, 20)));
    }

    [Test]
    public async Task Negotiating_and_connecting_take_from_the_budget_of_requests()
    {
        var user = await UserAsync();
        for (var i = 0; i < 48; i++)
            await NegotiateAsync(user);
        await using var phone = await ConnectAsync(user);

        Assert.That(await NegotiateAsync(user), Is.EqualTo("429 rate-limited"));
        Assert.That(await Api.ClientFor(user).GetAsync("/v1/me").OutcomeAsync(), Is.EqualTo("429 rate-limited"));
    }

    [Test]
    public async Task The_connections_of_a_user_read_what_they_missed_one_after_the_other_and_do_not_wait_for_ever()
    {
        var user = await UserAsync();
        var cursor = await CursorAsync(user);
        var phones = await FillAsync(user);
        await using var connection = await Api.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand("LOCK TABLE participants", connection, transaction);
        await hold.ExecuteNonQueryAsync();

        var resuming = phones.Select(phone => FirstAsync(phone.ResumeAsync(cursor))).ToArray();
        await UntilAsync(() => resuming.Count(resume => resume.IsCompleted) == Most - 1);

        Assert.That(await Api.Database.RowsAsync(WaitingSql, row => row.GetInt64(0)), Is.EqualTo((long[])[1]));
        // The completion with the reason and the closing may overtake each other.
        Assert.That(
            resuming.Where(resume => resume.IsCompleted).Select(resume => resume.Exception?.InnerException),
            Has.All.InstanceOf<HubException>().With.Message.Contains("rate-limited: ").Or.Null);
        await transaction.RollbackAsync();
        await UntilAsync(() => resuming.All(resume => resume.IsCompleted));
    }

    private async Task<HubClient[]> FillAsync(string user)
    {
        var phones = await Task.WhenAll(Enumerable.Range(0, Most).Select(_ => ConnectAsync(user)));
        await UntilAsync(() => Connections.CountOf(user) == Most);
        return phones;
    }

    private async Task<HubClient?> TryConnectAsync(string user)
    {
        try
        {
            return await ConnectAsync(user);
        }
        catch (Exception e) when (e is WebSocketException or IOException or InvalidOperationException)
        {
            return null;
        }
    }

    private Task<string> NegotiateAsync(string user) =>
        Api.ClientFor(user).PostAsync("/hubs/messaging/negotiate?negotiateVersion=1", null).OutcomeAsync();

    private static async Task<JsonElement> FirstAsync(IAsyncEnumerable<JsonElement> events)
    {
        await foreach (var envelope in events)
            return envelope;
        return default;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
            await timer.WaitForNextTickAsync(patience.Token);
    }
}
