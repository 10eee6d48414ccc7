using System.Text.Json;
using Messaging.Testing;
using Microsoft.AspNetCore.SignalR;

namespace Messaging.Api.Tests.Realtime;

public sealed class ResumeTests : HubFixture
{
    [Test]
    public async Task Missed_events_come_in_order_and_later_ones_live()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var cursor = await CursorAsync(bob);
        for (var i = 1; i <= 450; i++)
            await SendAsync(ada, group, $"{i}");
        await Api.Database.DrainedAsync();
        await using var phone = await ConnectAsync(bob);

        var missed = await AllAsync(phone.ResumeAsync(cursor));
        await SendAsync(ada, group, "451");

        Assert.That(missed.Where(IsNew).Select(Text), Is.EqualTo(Enumerable.Range(1, 450).Select(i => $"{i}")));
        Assert.That(Text(await phone.NextAsync("message:new")), Is.EqualTo("451"));
    }

    [Test]
    public async Task A_connection_with_a_cursor_hears_what_it_missed_before_anything_live()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var cursor = await CursorAsync(bob);
        for (var i = 1; i <= 300; i++)
            await SendAsync(ada, group, $"{i}");
        await Api.Database.DrainedAsync();

        var sending = SendAsync(ada, group, "301");
        await using var phone = await ConnectAsync(bob, cursor);
        await sending;

        for (var i = 1; i <= 301; i++)
            Assert.That(Text(await phone.NextAsync("message:new")), Is.EqualTo($"{i}"));
    }

    [Test]
    public async Task Under_load_a_client_that_is_cut_again_and_again_hears_everything_and_no_id_goes_back()
    {
        const int Senders = 4;
        const int Each = 150;
        var users = await Task.WhenAll(Enumerable.Range(0, Senders + 1).Select(_ => UserAsync()));
        var (reader, group) = (users[^1], await GroupAsync(users));
        var cursor = await CursorAsync(reader);

        var sending = Task.WhenAll(users[..Senders].Select(user => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
                await SendAsync(user, group);
        })));
        var seqs = new HashSet<long>();
        for (var round = 0; seqs.Count < Senders * Each; round++)
        {
            await using var phone = await ConnectAsync(reader, round % 2 == 0 ? cursor : null);
            var heard = new List<JsonElement>();
            if (round % 2 == 1)
                heard.AddRange((await AllAsync(phone.ResumeAsync(cursor))).Where(IsNew));
            var last = heard.Count > 0 ? Position(Id(heard[^1])) : Position(cursor);
            for (var i = 0; i < 40 && seqs.Count + heard.Count < Senders * Each && (i < 5 || !sending.IsCompleted); i++)
            {
                var live = await phone.NextAsync("message:new");
                if (round % 2 == 0 || Position(Id(live)) > last)
                    heard.Add(live);
            }
            Assert.That(heard.Select(e => Position(Id(e))), Is.Ordered.Ascending);
            Assert.That(heard.Select(Id), Is.Unique);
            seqs.UnionWith(heard.Select(e => e.GetProperty("seq").GetInt64()));
            cursor = heard.Count > 0 ? Id(heard[^1]) : cursor;
        }
        await sending;

        Assert.That(seqs.Order(), Is.EqualTo(Enumerable.Range(2, Senders * Each).Select(i => (long)i)));
    }

    [Test]
    public async Task A_cursor_of_another_epoch_or_older_than_what_is_kept_is_refused()
    {
        var user = await UserAsync();
        var cursor = await CursorAsync(user);
        var elsewhere = $"{(cursor[0] == '0' ? '1' : '0')}{cursor[1..]}";
        await using var phone = await ConnectAsync(user);

        Assert.That(await RefusalAsync(phone, elsewhere), Does.Contain("HubException: cursor-expired: "));
        Assert.That(await RefusalAsync(phone, "7"), Does.Contain("HubException: invalid-request: "));
        Assert.That(await RefusalAsync(phone, 7), Does.Contain("HubException: invalid-request: "));
        Assert.That(await RefusalAsync(phone, null), Does.Contain("HubException: invalid-request: "));
        Assert.That((await AllAsync(phone.ResumeAsync(cursor))), Is.Empty);
    }

    [TestCase("ffffffff-1", "cursor-expired: ")]
    [TestCase("nonsense", "invalid-request: ")]
    public async Task A_connection_that_begins_with_such_a_cursor_is_closed_with_the_reason(string cursor, string reason)
    {
        await using var phone = await ConnectAsync(await UserAsync(), cursor);

        Assert.That((await phone.Closed)!.Message, Does.Contain(reason));
    }

    [TestCase("ffffffff-1")]
    [TestCase("nonsense")]
    public async Task A_refusal_at_connecting_is_no_error_in_the_log(string cursor)
    {
        await using var phone = await ConnectAsync(await UserAsync(), cursor);
        await phone.Closed;

        Assert.That(Api.Logs.Lines, Has.None.Match("^Error .*OnConnectedAsync"));
    }

    private static async Task<string> RefusalAsync(HubClient phone, object? cursor) =>
        (await Assert.ThrowsAsync<HubException>(() => AllAsync(phone.ResumeAsync(cursor))))!.Message;

    // Who was not connected is told of a notification, too.
    private static bool IsNew(JsonElement envelope) => envelope.GetProperty("type").GetString() == "message:new";

    private static string Id(JsonElement envelope) => envelope.GetProperty("id").GetString()!;

    private static async Task<List<JsonElement>> AllAsync(IAsyncEnumerable<JsonElement> events)
    {
        var all = new List<JsonElement>();
        await foreach (var envelope in events)
            all.Add(envelope);
        return all;
    }
}
