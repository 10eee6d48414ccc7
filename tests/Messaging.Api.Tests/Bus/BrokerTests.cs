using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Tests.Realtime;
using Messaging.Testing;

namespace Messaging.Api.Tests.Bus;

/// <summary>Two nodes with a broker between them: what crosses it, and that what must not be lost does not depend on it.</summary>
[TestFixture("RabbitMq")]
[TestFixture("Redis")]
[Category("MultiNode")]
public sealed class BrokerTests(string kind) : HubFixture
{
    private const int Senders = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private Broker broker = null!;
    private ApiHost other = null!;

    [OneTimeSetUp]
    public void StartOther() => other = Api.StartAnother();

    [OneTimeTearDown]
    public async Task StopAllAsync()
    {
        await other.DisposeAsync();
        await broker.DisposeAsync();
    }

    [TearDown]
    public void ItsPasswordIsInNoLog() => Assert.That(Api.Logs.Lines.Concat(other.Logs.Lines), Has.None.Contains(Broker.Password));

    [Test]
    public async Task Typing_and_presence_cross_from_one_node_to_the_other()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await using var adas = await ConnectAsync(ada);
        await using var bobs = await HubClient.ConnectAsync(other.Address, ApiHost.Token(bob));

        await CrossesAsync(adas, bobs, group, bob);
    }

    [Test]
    public async Task A_broker_that_is_killed_and_wiped_under_load_costs_no_message()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await using var adas = await ConnectAsync(ada);
        await using var bobs = await HubClient.ConnectAsync(other.Address, ApiHost.Token(bob));
        using var enough = new CancellationTokenSource();
        var acknowledged = new ConcurrentDictionary<long, Guid>();
        var sending = Task.WhenAll(Enumerable.Range(0, Senders).Select(_ => SendOnAsync(ada, group, acknowledged, enough.Token)));

        await MoreAsync(acknowledged, 50);
        await broker.WipeAsync();
        await EventuallyAsync(async () => await BusAsync(Api) == "degraded" && await BusAsync(other) == "degraded");
        await MoreAsync(acknowledged, 50);
        await broker.StartAsync();
        await EventuallyAsync(async () => await BusAsync(Api) == "up" && await BusAsync(other) == "up");
        await MoreAsync(acknowledged, 50);
        await enough.CancelAsync();
        await sending;

        var (first, last) = (acknowledged.Keys.Min(), acknowledged.Keys.Max());
        var heard = (await bobs.UntilAsync(e => IsMessage(e) && Seq(e) == last)).Where(e => IsMessage(e) && Seq(e) >= first).ToList();
        Assert.That(heard.Select(Seq), Is.EqualTo(acknowledged.Keys.Order()), "each that was acknowledged is heard once, in order");
        Assert.That(heard.Select(Seq), Is.EqualTo(heard.Select((_, i) => first + i)), "none is missing in between");
        Assert.That(heard.Select(Id), Is.EqualTo(heard.Select(e => acknowledged[Seq(e)])));
        await CrossesAsync(adas, bobs, group, bob);
    }

    [Test]
    public async Task A_broker_that_stands_still_holds_up_no_message()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await using var bobs = await HubClient.ConnectAsync(other.Address, ApiHost.Token(bob));

        await broker.PauseAsync();
        try
        {
            await SendAsync(ada, group, "meanwhile");

            Assert.That(await bobs.UntilAsync(e => IsMessage(e) && Text(e) == "meanwhile"), Is.Not.Empty);
        }
        finally
        {
            await broker.GoOnAsync();
        }
    }

    protected override async Task<ApiHost> StartHostAsync()
    {
        broker = await Broker.StartAsync(kind);
        return await ApiHost.StartAsync(broker.Setting);
    }

    // Best effort: what is said before the nodes have found each other again is lost.
    private static async Task CrossesAsync(HubClient adas, HubClient bobs, string group, string bob)
    {
        await EventuallyAsync(async () =>
            (await adas.WatchAsync(new[] { bob })).GetProperty("items")[0].GetProperty("status").GetString() == "online");
        var heard = bobs.NextAsync("typing");
        await EventuallyAsync(async () =>
        {
            await adas.TypingAsync(group, true);
            return heard.IsCompleted;
        });
        Assert.That((await heard).GetProperty("data").GetProperty("active").GetBoolean());
    }

    private async Task SendOnAsync(string user, string group, ConcurrentDictionary<long, Guid> acknowledged, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            var message = await SendAsync(user, group);
            acknowledged[message.GetProperty("seq").GetInt64()] = message.GetProperty("id").GetGuid();
        }
    }

    private static Task MoreAsync(ConcurrentDictionary<long, Guid> acknowledged, int count)
    {
        var goal = acknowledged.Count + count;
        return EventuallyAsync(() => Task.FromResult(acknowledged.Count >= goal));
    }

    private static async Task<string> BusAsync(ApiHost node) =>
        (await node.AnonymousClient().GetFromJsonAsync<JsonElement>("/health/ready")).GetProperty("bus").GetString()!;

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var patience = new CancellationTokenSource(Patience);
        while (!await condition())
            await timer.WaitForNextTickAsync(patience.Token);
    }

    private static bool IsMessage(JsonElement envelope) => envelope.GetProperty("type").GetString() == "message:new";

    private static Guid Id(JsonElement envelope) => envelope.GetProperty("data").GetProperty("id").GetGuid();

    private static long Seq(JsonElement envelope) => envelope.GetProperty("seq").GetInt64();
}
