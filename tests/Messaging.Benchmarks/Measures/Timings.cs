using System.Diagnostics;

namespace Messaging.Benchmarks.Measures;

/// <summary>What a run of some clients came to.</summary>
/// <param name="Elapsed">Its length.</param>
/// <param name="Ticks">The time that each piece of work took, in order of length, in ticks of <see cref="Stopwatch"/>.</param>
/// <param name="Failures">How often the answer was not the expected one.</param>
sealed record Timings(TimeSpan Elapsed, long[] Ticks, int Failures)
{
    public double PerSecond => Ticks.Length / Elapsed.TotalSeconds;

    /// <summary>Milliseconds within which the given part of all was done.</summary>
    public double Percentile(double part) =>
        Ticks.Length == 0 ? double.NaN : Ticks[Math.Min((int)(Ticks.Length * part), Ticks.Length - 1)] * 1000.0 / Stopwatch.Frequency;
}

/// <summary>CPU seconds of all that takes part.</summary>
sealed record CpuSeconds(double Service, double Database, double Generator)
{
    public static CpuSeconds operator -(CpuSeconds left, CpuSeconds right) =>
        new(left.Service - right.Service, left.Database - right.Database, left.Generator - right.Generator);
}
