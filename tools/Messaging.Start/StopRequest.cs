using System.Runtime.InteropServices;

namespace Messaging.Start;

/// <summary>
/// Turns the first Ctrl+C, SIGTERM or SIGHUP into an orderly end, and a second one into <see cref="Impatient"/>: whoever
/// asks twice does not want to wait for the service to drain.
/// </summary>
sealed class StopRequest : IDisposable
{
    readonly CancellationTokenSource first = new();
    readonly CancellationTokenSource second = new();
    readonly PosixSignalRegistration[] registrations;

    public StopRequest() =>
        registrations = [.. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP]).Select(signal =>
            PosixSignalRegistration.Create(signal, Handle))];

    public CancellationToken Token => first.Token;

    public CancellationToken Impatient => second.Token;

    public void Dispose()
    {
        foreach (var registration in registrations)
            registration.Dispose();
        first.Dispose();
        second.Dispose();
    }

    void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        (first.IsCancellationRequested ? second : first).Cancel();
    }
}
