using Messaging.Benchmarks.Data;
using Messaging.Benchmarks.Measures;

namespace Messaging.Benchmarks;

/// <summary>What every benchmark works with.</summary>
sealed record Bench(
    BenchmarkDatabase Database, Service Service, Report Report, Acknowledged Acknowledged, Options Options, CancellationToken Stop)
{
    /// <summary>Of an odd number of runs the middle one is reported.</summary>
    const int Runs = 3;

    static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The service and its floor in turns, so that whatever else the machine does meets both; reports the medians and their ratio.
    /// </summary>
    public async Task CompareAsync(string what, int clients, Func<int, ValueTask<bool>> service, Func<int, ValueTask<bool>> floor)
    {
        await Load.ClosedLoop.RunAsync(clients, WarmUp, service, Stop);
        await Load.ClosedLoop.RunAsync(clients, WarmUp, floor, Stop);
        var services = new List<Measure>();
        var floors = new List<Measure>();
        for (var run = 0; run < Runs; run++)
        {
            services.Add(await MeasureAsync(clients, service));
            floors.Add(await MeasureAsync(clients, floor));
        }

        Stop.ThrowIfCancellationRequested();
        Report.Compare(what, clients, Measure.Median(services), Measure.Median(floors));
    }

    /// <summary>The service alone, where what it does is more than one statement.</summary>
    public async Task MeasureAloneAsync(string what, int clients, Func<int, ValueTask<bool>> service)
    {
        await Load.ClosedLoop.RunAsync(clients, WarmUp, service, Stop);
        var measures = new List<Measure>();
        for (var run = 0; run < Runs; run++)
            measures.Add(await MeasureAsync(clients, service));
        Stop.ThrowIfCancellationRequested();
        Report.Alone(what, clients, Measure.Median(measures));
    }

    /// <summary>The service without and with other work beside it, in turns; reports and answers the medians.</summary>
    public async Task<(Measure Without, Measure With)> CompareBesideAsync(
        string what, int clients, Func<int, ValueTask<bool>> service, string beside, int others, Func<int, ValueTask<bool>> otherWork)
    {
        await Load.ClosedLoop.RunAsync(clients, WarmUp, service, Stop);
        await Load.ClosedLoop.RunAsync(others, WarmUp, otherWork, Stop);
        var (without, with) = (new List<Measure>(), new List<Measure>());
        for (var run = 0; run < Runs; run++)
        {
            without.Add(await MeasureAsync(clients, service));
            var load = Load.ClosedLoop.RunAsync(others, Options.Run, otherWork, Stop);
            with.Add(await MeasureAsync(clients, service));
            await load;
        }

        Stop.ThrowIfCancellationRequested();
        var medians = (Measure.Median(without), Measure.Median(with));
        Report.Alone(what, clients, medians.Item1);
        Report.Alone($"  beside {others} {beside}", clients, medians.Item2);
        return medians;
    }

    /// <summary>Whether a measure of this name was asked for.</summary>
    public bool Wants(string what) => what.Contains(Options.Only, StringComparison.OrdinalIgnoreCase);

    public CpuSeconds Cpu() => new(
        ProcessCpu.OfProcess(Service.Pid),
        Database.Postmaster is { } postmaster ? ProcessCpu.OfFamily(postmaster) : double.NaN,
        ProcessCpu.OfProcess(Environment.ProcessId));

    async Task<Measure> MeasureAsync(int clients, Func<int, ValueTask<bool>> work)
    {
        var before = Cpu();
        var timings = await Load.ClosedLoop.RunAsync(clients, Options.Run, work, Stop);
        return Measure.Of(timings, Cpu() - before);
    }
}
