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
    private static readonly TimeSpan Prompt = TimeSpan.FromSeconds(2);

    // Of servers that devices name.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

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
        return lane.Server is null ? await known.TryAsync(send, ct) : await TryInPlaceAsync(known, user, send, ct);
    }

    private async Task<(PushOutcome? Outcome, Duration Wait)> TryInPlaceAsync(
        Lane lane, string user, Func<CancellationToken, Task<PushOutcome>> send, CancellationToken ct)
    {
        var isPrompt = lane.IsPrompt;
        if (!places.TryTake(user, isPrompt, out var wait))
            return (null, wait);
        using var longest = new CancellationTokenSource(Longest, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, longest.Token);
        try
        {
            var tried = lane.TryAsync(token => EndAsync(send, token, ct), limit.Token);
            if (!await IsSoonAsync(tried))
            {
                // Whoever answers once at once, and then not, has no more places than those who never did.
                lane.IsPrompt = false;
                if (isPrompt = isPrompt && !places.TryTurnSlow())
                    await limit.CancelAsync();
            }
            return await tried;
        }
        finally
        {
            places.Return(user, isPrompt);
        }
    }

    private async Task<bool> IsSoonAsync(Task tried)
    {
        await tried.WaitAsync(Prompt, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return tried.IsCompleted;
    }

    // Within the breaker: what we did not wait for has not answered.
    private static async Task<PushOutcome> EndAsync(
        Func<CancellationToken, Task<PushOutcome>> send, CancellationToken limit, CancellationToken ct)
    {
        try
        {
            return await send(limit);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new PushOutcome(PushResult.Retry, "timeout");
        }
    }

    private sealed class Lane
    {
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

        /// <summary>Whether it answered the last time, and soon, and has nothing wait since.</summary>
        public bool IsPrompt { get; set; }

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
