using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Messaging.Application.Push;
using Messaging.Infrastructure.Outbound;
using NodaTime;

namespace Messaging.Infrastructure.Push;

/// <summary>Calls providers: once, for 15 s at most, and of what they answer to a refusal it reads a little.</summary>
public sealed partial class PushClient(HttpMessageHandler handler, IClock clock) : IDisposable
{
    private const int AnswerBytes = 16 * 1024;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(15);
    private static readonly Duration LongestPause = Duration.FromDays(1);

    private readonly HttpClient http = new(handler) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>The answer; one without a status where there was none.</summary>
    public async Task<PushAnswer> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Longest);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            return new PushAnswer(response.StatusCode, await ReadAsync(response, limit.Token), RetryAfterOf(response))
            {
                Location = response.Headers.Location,
                Id = response.Headers.TryGetValues("apns-id", out var ids) ? ids.First() : null,
            };
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return PushAnswer.None("timeout");
        }
        catch (HttpRequestException e)
        {
            return PushAnswer.None(e.InnerException is PrivateAddressException ? "private-address" : "unreachable");
        }
    }

    public void Dispose() => http.Dispose();

    // A push that was taken is taken, whatever becomes of the rest of the answer.
    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var bytes = new byte[AnswerBytes];
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(ct);
            return bytes[..await body.ReadAtLeastAsync(bytes, AnswerBytes, throwOnEndOfStream: false, ct)];
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or HttpRequestException)
        {
            return [];
        }
    }

    private Duration? RetryAfterOf(HttpResponseMessage response)
    {
        var asked = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => Duration.FromTimeSpan(delta),
            { Date: { } date } => Instant.FromDateTimeOffset(date) - clock.GetCurrentInstant(),
            _ => (Duration?)null,
        };
        return asked is { } pause ? Duration.Max(Duration.Zero, Duration.Min(pause, LongestPause)) : null;
    }

    /// <summary>A provider's word for an error; null where it is more than a word, since it may repeat what was sent.</summary>
    public static string? Code(string? text) => text is not null && CodeShape().IsMatch(text) ? text : null;

    /// <summary>An id that a provider gave out; null where it is not one to be kept.</summary>
    public static string? Id(string? text) =>
        text is { Length: > 0 and <= 500 } && text.All(sign => sign is > ' ' and <= '~') ? text : null;

    [GeneratedRegex("^[A-Za-z_]{1,64}$", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex CodeShape();
}

/// <summary>What a provider answered.</summary>
public sealed record PushAnswer(HttpStatusCode? Status, byte[] Body, Duration? RetryAfter)
{
    /// <summary>Why there is no status.</summary>
    public string? Failure { get; private init; }

    public Uri? Location { get; init; }

    public string? Id { get; init; }

    public bool IsSuccess => Status is >= HttpStatusCode.OK and < HttpStatusCode.Ambiguous;

    public static PushAnswer None(string failure) => new(null, [], null) { Failure = failure };

    /// <summary>The body as JSON; null where it is none.</summary>
    public JsonElement? Json()
    {
        try
        {
            return JsonElement.Parse(Body);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What the status means for any provider.</summary>
    /// <param name="code">The provider's own word for it.</param>
    public PushOutcome Outcome(string? code = null) => Status switch
    {
        null => new PushOutcome(PushResult.Retry, Failure),
        _ when IsSuccess => new PushOutcome(PushResult.Sent),
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
            or >= HttpStatusCode.InternalServerError => new PushOutcome(PushResult.Retry, code ?? Name, RetryAfter: RetryAfter),
        _ => new PushOutcome(PushResult.Failed, code ?? Name),
    };

    private string Name => $"http-{(int)Status!}";
}
