using System.Diagnostics;

namespace Messaging.EndToEnd.Tests;

static class Eventually
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Returns as soon as the condition holds and fails with its text if that takes too long.</summary>
    public static Task HoldsAsync(Func<bool> condition, string what) => HoldsAsync(() => Task.FromResult(condition()), () => what);

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
