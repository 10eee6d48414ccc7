using System.Diagnostics;
using NUnit.Framework;

namespace Messaging.Testing;

/// <summary>Waits for what comes by itself, and no longer.</summary>
public static class Eventually
{
    // A minute: the tests of a run share two cores.
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Returns as soon as the condition holds and fails with its text if that takes too long.</summary>
    public static Task HoldsAsync(Func<bool> condition, string what) => HoldsAsync(() => Task.FromResult(condition()), what);

    /// <inheritdoc cref="HoldsAsync(Func{bool}, string)"/>
    public static Task HoldsAsync(Func<Task<bool>> condition, string what) => HoldsAsync(condition, () => what);

    /// <inheritdoc cref="HoldsAsync(Func{bool}, string)"/>
    public static async Task HoldsAsync(Func<Task<bool>> condition, Func<string> what)
    {
        var waited = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition())
        {
            if (waited.Elapsed > Patience)
                Assert.Fail($"Not within {Patience.TotalSeconds:0} s: {what()}");
            await timer.WaitForNextTickAsync();
        }
    }
}
