using System.Collections.Concurrent;
using Messaging.Application.Push;
using NodaTime;
using Polly;
using Polly.CircuitBreaker;

namespace Messaging.Infrastructure.Push;

/// <summary>
/// Keeps what does not answer from taking the places of others: it is left alone for a while, and servers that devices name, which anybody
/// may have, find but few places to begin with.
/// </summary>
public sealed class PushLanes(TimeProvider time)
{
    private const int Most = 10_000;

    private static readonly TimeSpan Break = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<PushLane, Lane> lanes = new();
    private readonly PushPlaces places = new(time);

    /// <summary>Whether a provider that is one server is to be tried: it is not left alone, or it is time to ask it again.</summary>
    public bool IsOpen(string provider) =>
        !lanes.TryGetValue(new PushLane(provider, Server: null), out var known) || known.ClosedUntil <= time.GetUtcNow();

    /// <summary>Tries; null with how long to wait where the lane is left alone, or there is no place for it or its user.</summary>
    public async Task<(PushOutcome? Outcome, Duration Wait)> TryAsync(
        PushLane lane, string user, Func<CancellationToken, Task<PushOutcome>> send, CancellationToken ct)
    {
        // Devices name servers: what is forgotten is learnt again.
        if (lanes.Count > Most)
            lanes.Clear();
        var known = lanes.GetOrAdd(lane, _ => new Lane(time));
        if (lane.Server is null)
            return await known.TryAsync(send, ct);
        var isPrompt = known.IsPrompt;
        if (!places.TryTake(user, isPrompt, out var wait))
            return (null, wait);
        try
        {
            return await known.TryAsync(send, ct);
        }
        finally
        {
            places.Return(user, isPrompt);
        }
    }

    private sealed class Lane
    {
        private static readonly TimeSpan Prompt = TimeSpan.FromSeconds(2);

        private readonly TimeProvider time;
        private readonly ResiliencePipeline<PushOutcome> breaker;

        public Lane(TimeProvider time)
        {
            this.time = time;
            breaker = new ResiliencePipelineBuilder<PushOutcome> { TimeProvider = time }
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
                    ShouldHandle = args => ValueTask.FromResult(args.Outcome.Result is { } outcome && !Answers(outcome)),
                })
                .Build();
        }

        /// <summary>Of the breaker's state the time alone is asked: it stays open until somebody tries again.</summary>
        public DateTimeOffset ClosedUntil { get; private set; }

        /// <summary>Whether it answered the last time, and soon.</summary>
        public bool IsPrompt { get; private set; }

        public async Task<(PushOutcome? Outcome, Duration Wait)> TryAsync(
            Func<CancellationToken, Task<PushOutcome>> send, CancellationToken ct)
        {
            var began = time.GetTimestamp();
            try
            {
                var outcome = await breaker.ExecuteAsync(async token => await send(token), ct);
                IsPrompt = Answers(outcome) && time.GetElapsedTime(began) < Prompt;
                return (outcome, Duration.Zero);
            }
            catch (BrokenCircuitException e)
            {
                return (null, Duration.FromTimeSpan(e.RetryAfter ?? Break));
            }
        }

        // Who asks for patience answers.
        private static bool Answers(PushOutcome outcome) => outcome is not { Result: PushResult.Retry, RetryAfter: null };
    }
}

/// <summary>What fails together.</summary>
/// <param name="Server">The one that the device names; null where the provider is one server.</param>
public sealed record PushLane(string Provider, string? Server);
