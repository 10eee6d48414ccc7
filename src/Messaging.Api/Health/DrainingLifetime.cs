using System.Runtime.InteropServices;

namespace Messaging.Api.Health;

/// <summary>
/// Goes down in order on SIGTERM and Ctrl+C: readiness off, a moment for load balancers, drain steps, then the host stops. The
/// framework's own way aborts sockets at once. A second signal skips what is left of the draining.
/// </summary>
public sealed class DrainingLifetime(
    Draining draining, IEnumerable<DrainStep> steps, ShutdownSettings settings, IHostApplicationLifetime host,
    ILogger<DrainingLifetime> logger)
    : IHostLifetime, IDisposable
{
    private readonly List<PosixSignalRegistration> signals = [];

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT])
            signals.Add(PosixSignalRegistration.Create(signal, OnSignal));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => signals.ForEach(signal => signal.Dispose());

    private void OnSignal(PosixSignalContext signal)
    {
        signal.Cancel = true;
        if (draining.HasBegun)
            host.StopApplication();
        else
            _ = DrainAsync(signal.Signal);
    }

    private async Task DrainAsync(PosixSignal signal)
    {
        logger.LogInformation("{Signal}: draining", signal);
        draining.Begin();
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(host.ApplicationStopping);
            // Nobody balances load over a service that was started by hand.
            if (signal is PosixSignal.SIGTERM)
                await Task.Delay(settings.Delay, timeout.Token);
            timeout.CancelAfter(settings.DrainTimeout);
            await Task.WhenAll(steps.Select(step => step(timeout.Token)));
        }
        catch (OperationCanceledException)
        {
            logger.LogWarning("Draining was cut short");
        }
        catch (Exception e)
        {
            logger.LogError(e, "Draining failed");
        }
        host.StopApplication();
    }
}
