using System.Diagnostics;
using CsCheck;
using NUnit.Framework.Internal;

namespace Messaging.Testing;

/// <summary>
/// Values and programs made at random. Of what fails CsCheck shows the smallest that it finds, with a seed: set CsCheck_Seed to
/// that to have the same again.
/// </summary>
public static class RandomPrograms
{
    // What is generated after the last case costs little, and is run only to make a failure smaller.
    private const int Spare = 10_000;

    private static readonly TimeSpan Shrinking = TimeSpan.FromSeconds(20);

    public static Task CheckAsync<T>(this Gen<T> values, int cases, Func<T, Task> run) =>
        RunAsync(values, cases + Spare, cases, run, _ => true);

    public static Task CheckAsync<T>(this Gen<T> values, int cases, Action<T> run) => values.CheckAsync(cases, value =>
    {
        run(value);
        return Task.CompletedTask;
    });

    /// <summary>
    /// Runs as many programs of about this length, each in a world that <paramref name="run"/> makes, so that a shorter one may follow.
    /// </summary>
    public static Task CheckAsync<T>(this Gen<T> steps, int length, int cases, Func<T[], Task> run) =>
        RunAsync(steps.Array[1, length], (16 * cases) + Spare, cases, run, program => program.Length > length * 7 / 8);

    static async Task RunAsync<T>(Gen<T> values, int tries, int cases, Func<T, Task> run, Func<T, bool> isFull)
    {
        var (left, failed) = (cases, (Stopwatch?)null);
        await values.SampleAsync(
            async value =>
            {
                var isWanted = failed is null ? left > 0 && (Check.Seed is not null || isFull(value)) : failed.Elapsed < Shrinking;
                if (!isWanted)
                    return;
                left--;
                // Without it each failure on the way to the smallest is reported too.
                using var isolated = new TestExecutionContext.IsolatedContext();
                try
                {
                    await run(value);
                }
                catch
                {
                    failed ??= Stopwatch.StartNew();
                    throw;
                }
            },
            iter: tries, threads: 1);
        if (left > 0)
            throw new InvalidOperationException($"{left} of {cases} cases were not run.");
    }
}
