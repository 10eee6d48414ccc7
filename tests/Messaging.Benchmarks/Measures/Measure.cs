namespace Messaging.Benchmarks.Measures;

/// <summary>The figures of one run, or the medians of several: latencies in milliseconds, CPU in seconds per 1,000 done.</summary>
sealed record Measure(
    double PerSecond, double P50, double P99, double P999, double ServiceCpu, double DatabaseCpu, double GeneratorCpu, int Failures)
{
    public static Measure Of(Timings timings, CpuSeconds cpu)
    {
        var thousands = timings.Ticks.Length / 1000.0;
        return new(
            timings.PerSecond, timings.Percentile(0.5), timings.Percentile(0.99), timings.Percentile(0.999),
            cpu.Service / thousands, cpu.Database / thousands, cpu.Generator / thousands, timings.Failures);
    }

    public static Measure Median(IReadOnlyList<Measure> runs) => new(
        Middle(runs, run => run.PerSecond), Middle(runs, run => run.P50), Middle(runs, run => run.P99), Middle(runs, run => run.P999),
        Middle(runs, run => run.ServiceCpu), Middle(runs, run => run.DatabaseCpu), Middle(runs, run => run.GeneratorCpu),
        runs.Sum(run => run.Failures));

    static double Middle(IReadOnlyList<Measure> runs, Func<Measure, double> figure) =>
        runs.Select(figure).Order().ElementAt(runs.Count / 2);
}
