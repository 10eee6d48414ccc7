using System.Diagnostics;
using Microsoft.Extensions.Hosting;

namespace Messaging.Application.Tests.Events;

/// <summary>A background service that runs until disposed.</summary>
sealed class Running : IAsyncDisposable
{
    readonly BackgroundService service;

    Running(BackgroundService service) => this.service = service;

    public static async Task<Running> StartAsync(BackgroundService service)
    {
        await service.StartAsync(CancellationToken.None);
        return new Running(service);
    }

    public async ValueTask DisposeAsync()
    {
        await service.StopAsync(CancellationToken.None);
        service.Dispose();
    }
}

static class Eventually
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Returns as soon as the condition holds and fails with its text if that takes too long.</summary>
    public static async Task HoldsAsync(Func<Task<bool>> condition, string what)
    {
        var waited = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition())
        {
            if (waited.Elapsed > Patience)
                Assert.Fail($"Not within {Patience.TotalSeconds:0} s: {what}");
            await timer.WaitForNextTickAsync();
        }
    }
}
