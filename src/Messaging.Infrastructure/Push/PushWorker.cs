using System.Threading.Channels;
using Messaging.Application.Push;
using Messaging.Infrastructure.Cluster;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Push;

/// <summary>
/// Puts notifications that are due into the queue, has each provider send its own, and writes down what came of it. On every node: each
/// push is claimed by one.
/// </summary>
public sealed class PushWorker(
    IEnumerable<IPushProvider> providers, PushQueue queue, PushSignal signal, PushLanes lanes, ILogger<PushWorker> logger)
    : BackgroundService
{
    private const int SettleSize = 200;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(5);

    // What is on its way when the node stops.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly IReadOnlyList<IPushProvider> providers = [.. providers.Where(provider => provider.IsConfigured)];

    private readonly Channel<SettledPush> settled = Channel.CreateBounded<SettledPush>(SettleSize * 5);
    private readonly List<SettledPush> unwritten = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (providers.Count == 0)
            return;
        using var sending = new CancellationTokenSource();
        using var writing = new CancellationTokenSource();
        await using var stopping = stoppingToken.Register(() => sending.CancelAfter(Grace));
        var senders = providers.Select(provider => new PushSender(provider, queue, lanes, settled.Writer)).ToList();
        var targets = providers.SelectMany(TargetsOf).ToList();
        var written = WriteAsync(writing.Token);
        await Task.WhenAll(
        [
            Supervision.KeepRunningAsync(logger, ct => MakeAsync(senders, targets, ct), stoppingToken),
            .. senders.Select(sender => sender.RunAsync(logger, stoppingToken, sending.Token)),
        ]);
        settled.Writer.Complete();
        writing.CancelAfter(Grace);
        await written;
        senders.ForEach(sender => sender.Dispose());
    }

    private static IEnumerable<(string Provider, string Platform)> TargetsOf(IPushProvider provider) =>
        provider.Platforms.Count == 0 ? [(provider.Name, "")] : provider.Platforms.Select(platform => (provider.Name, platform));

    private async Task MakeAsync(
        List<PushSender> senders, IReadOnlyList<(string Provider, string Platform)> targets, CancellationToken ct)
    {
        if (await queue.MakeAsync(targets, ct) == 0)
            await signal.WaitAsync(Poll, ct);
        senders.ForEach(sender => sender.Wake());
    }

    // Until nothing comes any more and all is written.
    private async Task WriteAsync(CancellationToken ct)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await Supervision.KeepRunningAsync(logger, WriteSomeAsync, done.Token);

        async Task WriteSomeAsync(CancellationToken token)
        {
            if (unwritten.Count == 0 && !await settled.Reader.WaitToReadAsync(token))
            {
                await done.CancelAsync();
                return;
            }
            while (unwritten.Count < SettleSize && settled.Reader.TryRead(out var one))
                unwritten.Add(one);
            await queue.SettleAsync(unwritten, token);
            unwritten.Clear();
        }
    }
}
