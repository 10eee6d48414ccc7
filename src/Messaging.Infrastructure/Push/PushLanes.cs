using System.Collections.Concurrent;
using Messaging.Application.Push;
using NodaTime;
using Polly;
using Polly.CircuitBreaker;

namespace Messaging.Infrastructure.Push;

/// <summary>Leaves alone for a while what does not answer, so that waiting for it takes no place from others.</summary>
public sealed class PushLanes(TimeProvider time)
{
    private const int Most = 10_000;

    private static readonly TimeSpan Break = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<string, Lane> lanes = new(StringComparer.Ordinal);

    public bool IsOpen(string lane) => !lanes.TryGetValue(lane, out var known) || known.State.CircuitState is not CircuitState.Open;

    /// <summary>Tries; null with how long to wait where the lane is left alone.</summary>
    public async Task<(PushOutcome? Outcome, Duration Wait)> TryAsync(
        string lane, Func<CancellationToken, Task<PushOutcome>> send, CancellationToken ct)
    {
        // Devices name servers: what is forgotten is learnt again.
        if (lanes.Count > Most)
            lanes.Clear();
        try
        {
            var pipeline = lanes.GetOrAdd(lane, _ => new Lane(time)).Pipeline;
            return (await pipeline.ExecuteAsync(async token => await send(token), ct), Duration.Zero);
        }
        catch (BrokenCircuitException e)
        {
            return (null, Duration.FromTimeSpan(e.RetryAfter ?? Break));
        }
    }

    private sealed class Lane
    {
        public Lane(TimeProvider time) => Pipeline = new ResiliencePipelineBuilder<PushOutcome> { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<PushOutcome>
            {
                FailureRatio = 0.9,
                MinimumThroughput = 5,
                SamplingDuration = TimeSpan.FromSeconds(30),
                BreakDuration = Break,
                StateProvider = State,
                // A provider that asks for patience answers.
                ShouldHandle = new PredicateBuilder<PushOutcome>().HandleResult(
                    outcome => outcome is { Result: PushResult.Retry, RetryAfter: null }),
            })
            .Build();

        public CircuitBreakerStateProvider State { get; } = new();

        public ResiliencePipeline<PushOutcome> Pipeline { get; }
    }
}
