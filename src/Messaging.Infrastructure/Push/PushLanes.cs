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

    private readonly ConcurrentDictionary<(string Provider, string Name), Lane> lanes = new();

    /// <summary>Whether a provider that is one server is to be tried: it is not left alone, or it is time to ask it again.</summary>
    public bool IsOpen(string provider) =>
        !lanes.TryGetValue((provider, provider), out var known) || known.ClosedUntil <= time.GetUtcNow();

    /// <summary>Tries; null with how long to wait where the lane is left alone.</summary>
    public async Task<(PushOutcome? Outcome, Duration Wait)> TryAsync(
        string provider, string lane, Func<CancellationToken, Task<PushOutcome>> send, CancellationToken ct)
    {
        // Devices name servers: what is forgotten is learnt again.
        if (lanes.Count > Most)
            lanes.Clear();
        try
        {
            var pipeline = lanes.GetOrAdd((provider, lane), _ => new Lane(time)).Pipeline;
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
                OnOpened = args =>
                {
                    ClosedUntil = time.GetUtcNow() + args.BreakDuration;
                    return default;
                },
                // A provider that asks for patience answers.
                ShouldHandle = new PredicateBuilder<PushOutcome>().HandleResult(
                    outcome => outcome is { Result: PushResult.Retry, RetryAfter: null }),
            })
            .Build();

        /// <summary>Of the breaker's state the time alone is asked: it stays open until somebody tries again.</summary>
        public DateTimeOffset ClosedUntil { get; private set; }

        public ResiliencePipeline<PushOutcome> Pipeline { get; }
    }
}
