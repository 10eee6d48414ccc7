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
