using System.Runtime.InteropServices;
using Messaging.Benchmarks;
using Messaging.Benchmarks.Data;
using Messaging.Benchmarks.Delivering;
using Messaging.Benchmarks.Measures;
using Messaging.Benchmarks.Plans;
using Messaging.Benchmarks.Pushing;
using Messaging.Benchmarks.Reading;
using Messaging.Benchmarks.Resuming;
using Messaging.Benchmarks.Sending;
using Messaging.Benchmarks.Uploading;

if (Options.Parse(args) is not { } options)
{
    Console.Error.WriteLine(Options.Usage);
    return 2;
}

using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    await using var database = await BenchmarkDatabase.StartAsync(options, Console.Out, stop.Token);
    var report = new Report(Console.Out);
    var acknowledged = new Acknowledged();
    foreach (var (verb, run) in ((string, Func<Bench, Task>)[])
    [
        ("send", bench => new SendBenchmark(bench).RunAsync()),
        ("history", bench => new HistoryBenchmark(bench).RunAsync()),
        ("inbox", bench => new InboxBenchmark(bench).RunAsync()),
        ("search", bench => new SearchBenchmark(bench).RunAsync()),
        ("search", bench => new HostileSearchBenchmark(bench).RunAsync()),
        ("resume", bench => new ResumeBenchmark(bench).RunAsync()),
        ("upload", bench => new UploadBenchmark(bench).RunAsync()),
        ("push", bench => new PushBenchmark(bench).RunAsync()),
        ("group", bench => new GroupBenchmark(bench).RunAsync()),
        ("feed", bench => new FeedBenchmark(bench).RunAsync()),
        ("deliver", bench => new DeliveryBenchmark(bench).RunAsync()),
        ("explain", bench => new PlansBenchmark(bench).RunAsync()),
    ])
    {
        if (!options.Wants(verb))
            continue;
        await using var service = await Service.StartAsync(database.ConnectionString, stop.Token);
        await run(new Bench(database, service, report, acknowledged, options, stop.Token));
    }

    if (acknowledged.All.Any())
        await Checks.RunAsync(database.DataSource, acknowledged, report, stop.Token);
    return report.Failed ? 1 : 0;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("Stopped.");
    return 1;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
