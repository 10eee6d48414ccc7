using System.Net.WebSockets;
using System.Text;
using Messaging.Api.Health;
using Messaging.Api.Realtime;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Messaging.Api.Tests.Realtime;

public sealed class ClosingTests : HubFixture
{
    private const string WaitingSql =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

    protected override IEnumerable<(string Name, string? Value)> Settings() => [("Messaging:Cors:Origins:0", "https://app.test")];

    [Test]
    public async Task A_connection_that_does_not_read_is_closed_and_others_hear_on()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        using var stuck = await RawAsync(bob);
        await using var phone = await ConnectAsync(ada);

        await ExecuteAsync(
            $"""
            INSERT INTO outbox (occurred_at, user_id, type, payload)
            SELECT now(), '{bob}', 'test:event', jsonb_build_object('text', repeat('x', 2000))
            FROM generate_series(1, {3 * LiveConnection.Capacity})
            """);
        await ExecuteAsync($"INSERT INTO outbox (occurred_at, user_id, type, payload) VALUES (now(), '{ada}', 'test:event', '{{}}')");

        await phone.NextAsync("test:event");
        // By us, before the transport's time-out cuts it off.
        Assert.That(OpenOf(bob), Is.Empty);
        await UntilAsync(() => Task.FromResult(Connections(bob) == 0));
    }

    [Test]
    public async Task Draining_closes_everyone_and_lets_nobody_in_but_bids_them_come_again()
    {
        await using var own = await ApiHost.StartAsync();
        var draining = own.Services.GetRequiredService<Draining>();
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(HubClient.Address(own.Address, ApiHost.Token("ada")), CancellationToken.None);
        await ShakeHandsAsync(socket);

        draining.Begin();
        await own.Services.GetRequiredService<DrainStep>()(CancellationToken.None);

        Assert.That(await LastWordAsync(socket), Does.Contain("\"type\":7").And.Contain("\"allowReconnect\":true"));
        using var late = new ClientWebSocket { Options = { CollectHttpResponseDetails = true } };
        Assert.That(
            () => late.ConnectAsync(HubClient.Address(own.Address, ApiHost.Token("ada")), CancellationToken.None),
            Throws.InstanceOf<WebSocketException>());
        Assert.That(late.HttpStatusCode, Is.EqualTo(System.Net.HttpStatusCode.ServiceUnavailable));
    }

    [Test]
    public async Task Draining_tells_each_connection_when_to_connect_anew_before_it_closes()
    {
        await using var phone = await ConnectAsync(await UserAsync());

        var draining = Api.Services.GetRequiredService<ConnectionDrain>().RunAsync(CancellationToken.None);

        // The next test has the same host.
        try
        {
            var notice = await phone.NextAsync("draining");
            Assert.That(notice.GetProperty("data").GetProperty("reconnectInMs").GetInt32(), Is.InRange(0, 5_000));
            Assert.That(await phone.Closed, Is.Null);
        }
        finally
        {
            await draining;
        }
    }

    [Test]
    public async Task A_call_that_is_under_way_is_answered_before_its_connection_is_drained()
    {
        var ada = await UserAsync();
        var group = await GroupAsync(ada, await UserAsync());
        await using var phone = await ConnectAsync(ada);
        await using var idle = await ConnectAsync(ada);
        await using var connection = await Api.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand($"SELECT FROM conversations WHERE id = '{group}' FOR UPDATE", connection, transaction);
        await hold.ExecuteNonQueryAsync();
        var sending = phone.SendMessageAsync(group, new { text = "hello", clientMessageId = "1" });
        await UntilAsync(async () => (await Api.Database.RowsAsync(WaitingSql, row => row.GetInt64(0)))[0] > 0);

        var draining = Api.Services.GetRequiredService<ConnectionDrain>().RunAsync(CancellationToken.None);
        try
        {
            Assert.That(await idle.Closed, Is.Null);
            await transaction.RollbackAsync();

            Assert.That((await sending).GetProperty("text").GetString(), Is.EqualTo("hello"));
            Assert.That(await phone.Closed, Is.Null);
        }
        finally
        {
            await transaction.DisposeAsync();
            await draining;
        }
    }

    [Test]
    public async Task A_node_that_fell_behind_what_is_kept_closes_its_connections_and_their_cursors_are_expired()
    {
        var user = await UserAsync();
        var cursor = await CursorAsync(user);
        await using var phone = await ConnectAsync(user);

        await ExecuteAsync("UPDATE feed_state SET last_position = last_position + 3, expired_position = last_position + 3");

        Assert.That(await phone.Closed, Is.Null);
        await using var again = await ConnectAsync(user, cursor);
        Assert.That((await again.Closed)!.Message, Does.Contain("cursor-expired: "));
    }

    [Test]
    public async Task An_event_that_nobody_can_take_is_passed_by_and_the_next_is_heard()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        await using var phone = await ConnectAsync(bob);
        await ExecuteAsync(
            $"""
            INSERT INTO outbox (occurred_at, user_id, type, payload)
            VALUES (now(), '{ada}', 'block:changed', '[]'), (now(), '{bob}', 'test:event', '[]')
            """);

        await phone.NextAsync("test:event");
    }

    [Test]
    public async Task An_origin_that_is_configured_may_connect()
    {
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", "https://app.test");

        await socket.ConnectAsync(HubClient.Address(Api.Address, ApiHost.Token(await UserAsync())), CancellationToken.None);

        Assert.That(socket.State, Is.EqualTo(WebSocketState.Open));
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        while (!await condition())
            await timer.WaitForNextTickAsync(patience.Token);
    }

    private IEnumerable<LiveConnection> OpenOf(string user) => Api.Services.GetRequiredService<LiveConnections>().All()
        .Where(connection => connection.Credential?.UserId?.Value == user && !connection.IsClosing);

    private int Connections(string user) => Api.Services.GetRequiredService<LiveConnections>().CountOf(user);

    private async Task<ClientWebSocket> RawAsync(string user)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(HubClient.Address(Api.Address, ApiHost.Token(user)), CancellationToken.None);
        await ShakeHandsAsync(socket);
        return socket;
    }

    private static async Task ShakeHandsAsync(ClientWebSocket socket)
    {
        await socket.SendAsync(
            Encoding.UTF8.GetBytes("{\"protocol\":\"json\",\"version\":1}\u001e"), WebSocketMessageType.Text, true, CancellationToken.None);
        await socket.ReceiveAsync(new byte[4096], CancellationToken.None);
    }

    private static async Task<string> LastWordAsync(ClientWebSocket socket)
    {
        var (last, buffer) = ("", new byte[4096]);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await socket.ReceiveAsync(buffer, patience.Token) is { MessageType: WebSocketMessageType.Text } part)
            last = Encoding.UTF8.GetString(buffer, 0, part.Count);
        return last;
    }
}
