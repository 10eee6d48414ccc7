using System.Text.Json;
using Messaging.Testing;

namespace Messaging.Api.Tests.Presence;

/// <summary>Two nodes on one database, with a clock that the test moves.</summary>
public abstract class PresenceFixture : Realtime.HubFixture
{
    protected ManualTime Time { get; } = new();

    protected ApiHost Other { get; private set; } = null!;

    [OneTimeSetUp]
    public void StartOther() => Other = Api.StartAnother();

    [OneTimeTearDown]
    public async Task StopOtherAsync() => await Other.DisposeAsync();

    protected override Task<ApiHost> StartHostAsync() => ApiHost.StartAsync(Time);

    protected Task<HubClient> ConnectToOtherAsync(string user) => HubClient.ConnectAsync(Other.Address, ApiHost.Token(user));

    protected static string UserOf(JsonElement envelope) => envelope.GetProperty("data").GetProperty("userId").GetString()!;

    protected static string StatusOf(JsonElement presence) => presence.GetProperty("status").GetString()!;

    /// <summary>Waits for what another node is told of in its own time.</summary>
    protected static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await condition())
            await timer.WaitForNextTickAsync(patience.Token);
    }
}
