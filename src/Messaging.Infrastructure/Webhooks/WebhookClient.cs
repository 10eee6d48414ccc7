using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Messaging.Application.Webhooks;
using Messaging.Domain.Webhooks;
using Messaging.Infrastructure.Outbound;
using NodaTime;
using Polly;
using Polly.Retry;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>
/// Calls webhooks: signs what is sent, and reads no more of an answer than it is worth.
/// </summary>
public sealed class WebhookClient : IWebhookSender, IDisposable
{
    private const int MaxAnswerBytes = 64 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly Duration LongestWait = Duration.FromHours(24);

    // Where no connection was made, nothing was sent, and a moment later there may be one. What is private stays so.
    private static readonly ResiliencePipeline OnceMore = new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
    {
        MaxRetryAttempts = 1,
        Delay = TimeSpan.FromMilliseconds(250),
        ShouldHandle = args => ValueTask.FromResult(args.Outcome.Exception is HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError,
            InnerException: not PrivateAddressException,
        }),
    }).Build();

    private readonly TimeProvider time;
    private readonly HttpMessageInvoker http;

    public WebhookClient(OutboundAddresses addresses, TimeProvider time)
    {
        this.time = time;
        http = new HttpMessageInvoker(OutboundHandler.New(addresses));
    }

    public async Task<WebhookOutcome> SendAsync(WebhookCall call, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        using var patience = new CancellationTokenSource(Patience, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        var answer = new Answer();
        string? error = null;
        try
        {
            await OnceMore.ExecuteAsync(token => CallAsync(call, answer, token), limit.Token);
        }
        catch (Exception e) when (!ct.IsCancellationRequested && WebhookFailures.Describe(e) is { } known)
        {
            error = known;
        }
        var took = Duration.FromTimeSpan(Stopwatch.GetElapsedTime(started));
        return new WebhookOutcome(answer.Status, error, took, WaitOf(answer.RetryAfter, call.Timestamp + took));
    }

    public void Dispose() => http.Dispose();

    private async ValueTask CallAsync(WebhookCall call, Answer answer, CancellationToken ct)
    {
        using var request = Sign(call);
        using var response = await http.SendAsync(request, ct);
        (answer.Status, answer.RetryAfter) = ((int)response.StatusCode, response.Headers.RetryAfter);
        await using var body = await response.Content.ReadAsStreamAsync(ct);
        await ReadAsync(body, ct);
    }

    private static HttpRequestMessage Sign(WebhookCall call)
    {
        // By HTTP/1.1 and no other version: over HTTP/3 an answer could name another host for the next call, which nobody has checked.
        var request = new HttpRequestMessage(HttpMethod.Post, call.Url)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ReadOnlyMemoryContent(call.Body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Messaging", "1.0"));
        request.Headers.Add("webhook-id", call.Id);
        request.Headers.Add("webhook-timestamp", call.Timestamp.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", string.Join(
            ' ', call.Secrets.Select(secret => WebhookSecret.Parse(secret).Sign(call.Id, call.Timestamp, call.Body.Span))));
        return request;
    }

    // To the end, so that the connection serves the next call, or as far as an answer is worth reading.
    private static async Task ReadAsync(Stream body, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxAnswerBytes);
        try
        {
            int read;
            for (var left = MaxAnswerBytes; left > 0 && (read = await body.ReadAsync(buffer.AsMemory(0, left), ct)) > 0;)
                left -= read;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static Duration? WaitOf(RetryConditionHeaderValue? header, Instant now)
    {
        Duration? asked = header switch
        {
            { Delta: { } delta } => Duration.FromTimeSpan(delta),
            { Date: { } date } => Instant.FromDateTimeOffset(date) - now,
            _ => null,
        };
        return asked is { } wait ? Duration.Max(Duration.Zero, Duration.Min(wait, LongestWait)) : null;
    }

    private sealed class Answer
    {
        public int? Status { get; set; }

        public RetryConditionHeaderValue? RetryAfter { get; set; }
    }
}
