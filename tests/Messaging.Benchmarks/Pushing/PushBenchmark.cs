using System.Globalization;
using Messaging.Benchmarks.Load;
using Messaging.Benchmarks.Measures;
using Messaging.Benchmarks.Sending;

namespace Messaging.Benchmarks.Pushing;

/// <summary>From just before a send over HTTP until the other one's hub connection has it, with 1,000 connections open.</summary>
sealed class PushBenchmark(Bench bench)
{
    const int Connections = 1_000;
    const int Workers = 64;

    static readonly int[] Rates = [50, 500];
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    readonly string prefix = bench.Acknowledged.Prefix + "push";
    int sent;

    public async Task RunAsync()
    {
        bench.Report.Heading($"push: {Connections} connections of as many users, sends to direct conversations");
        SayMemory("after the start, no connection");
        var pairs = await Pair.FindAsync(bench.Database.DataSource, Connections / 2, bench.Stop);
        var capacity = (Rates.Max() * 4 * (int)bench.Options.Run.TotalSeconds) + 10_000;
        await using var audience = new Audience(prefix, capacity);
        await audience.ConnectAsync(
            bench.Service.Port, pairs.SelectMany(pair => new[] { pair.One, pair.Other }).Select(bench.Service.Requests.Token), bench.Stop);
        SayMemory($"{Connections} connections");

        var senders = new List<SendClient>();
        try
        {
            var targets = pairs.SelectMany(
                pair => new SendTarget[] { new(pair.Conversation, pair.One, 2), new(pair.Conversation, pair.Other, 2) }).ToArray();
            var requests = targets.Select(target => target.Request(bench.Service.Requests)).ToArray();
            for (var i = 0; i < Workers; i++)
                senders.Add(new(await HttpConnection.OpenAsync(bench.Service.Port, bench.Stop), targets, requests, bench.Acknowledged, i));
            await PushAsync(audience, senders, targets.Length, rate: Rates.Max(), report: false);
            foreach (var rate in Rates)
                await PushAsync(audience, senders, targets.Length, rate, report: true);
        }
        finally
        {
            senders.ForEach(sender => sender.Dispose());
        }

        SayMemory($"{Connections} connections, after {sent:N0} messages");
        bench.Report.Check(audience.Closed == 0, $"connections that were closed: {audience.Closed}");
    }

    async Task PushAsync(Audience audience, List<SendClient> senders, int targets, int rate, bool report)
    {
        var before = bench.Cpu();
        var (begun, failures) = await OpenLoop.RunAsync(
            Workers, rate, bench.Options.Run, (worker, _) => SendAsync(audience, senders[worker], targets), bench.Stop);
        for (var waited = 0; audience.Heard < begun - failures && waited < Patience.TotalMilliseconds; waited += 50)
            await Task.Delay(50, bench.Stop);
        var cpu = bench.Cpu() - before;
        var timings = new Timings(bench.Options.Run, audience.TakeLatencies(), failures);
        bench.Report.Check(failures == 0 && timings.Ticks.Length == begun,
            $"{rate} a second: sent {begun}, of which refused {failures}, heard by the other one {timings.Ticks.Length}");
        if (report)
            bench.Report.Say($"{rate,5} a second: p50 {timings.Percentile(0.5):0.0} ms, p99 {timings.Percentile(0.99):0.0}, p99.9 "
                + $"{timings.Percentile(0.999):0.0}; CPU s per 1,000: service {cpu.Service * 1000 / begun:0.00}, database "
                + $"{cpu.Database * 1000 / begun:0.00}, generator {cpu.Generator * 1000 / begun:0.00}");
    }

    // Each message goes to the next conversation, from each of its two in turn; the other one's connection stands beside the sender's.
    async ValueTask<bool> SendAsync(Audience audience, SendClient sender, int targets)
    {
        var message = Interlocked.Increment(ref sent) - 1;
        var target = message * 7 % targets;
        audience.Sending(message, target ^ 1);
        return await sender.SendAsync(
            target, prefix + message.ToString("x", CultureInfo.InvariantCulture).PadLeft(SendClient.KeyLength - prefix.Length, '0'));
    }

    void SayMemory(string when)
    {
        var (resident, proportional) = ProcessCpu.Memory(bench.Service.Pid);
        bench.Report.Say($"memory of the service, {when}: resident {resident:0} MiB, proportional {proportional:0} MiB");
    }
}
