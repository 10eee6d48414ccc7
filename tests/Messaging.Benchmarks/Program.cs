using System.Runtime.InteropServices;
using Messaging.Benchmarks;
using Messaging.Benchmarks.Data;
using Messaging.Benchmarks.Measures;
using Messaging.Benchmarks.Plans;
using Messaging.Benchmarks.Reading;
using Messaging.Benchmarks.Sending;

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
    await using (var service = await Service.StartAsync(database.ConnectionString, stop.Token))
    {
        var bench = new Bench(database, service, report, acknowledged, options, stop.Token);
        if (options.Wants("send"))
            await new SendBenchmark(bench).RunAsync();
        if (options.Wants("history"))
            await new HistoryBenchmark(bench).RunAsync();
        if (options.Wants("inbox"))
            await new InboxBenchmark(bench).RunAsync();
        if (options.Wants("explain"))
            await new PlansBenchmark(bench).RunAsync();
    }

    if (options.Wants("send"))
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
