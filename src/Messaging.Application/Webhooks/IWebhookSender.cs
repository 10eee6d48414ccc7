using NodaTime;

namespace Messaging.Application.Webhooks;

/// <summary>Calls an address of somebody else's, signed after Standard Webhooks, and never one in a private network.</summary>
public interface IWebhookSender
{
    /// <summary>
    /// Calls once; where no connection was made, and so nothing was sent, once more. Whatever the other side does is an outcome, and none
    /// of it takes longer than 15 s.
    /// </summary>
    Task<WebhookOutcome> SendAsync(WebhookCall call, CancellationToken ct);
}

/// <summary>One call. Its id and body are the same at every try; its timestamp is that of the try.</summary>
/// <param name="Secrets">Those in force, each as <c>whsec_…</c>: the call is signed with every one of them.</param>
public sealed record WebhookCall(Uri Url, string Id, Instant Timestamp, ReadOnlyMemory<byte> Body, IReadOnlyList<string> Secrets);

/// <summary>What came of a call.</summary>
/// <param name="Status">Of the answer, where there was one.</param>
/// <param name="Error">
/// Why the call failed although there may be a status, for whoever owns the address: without addresses, secrets or bodies.
/// </param>
/// <param name="RetryAfter">What the answer asked for, between 0 and 24 hours.</param>
public sealed record WebhookOutcome(int? Status, string? Error, Duration Took, Duration? RetryAfter)
{
    /// <summary>Whether the other side has it: an answer of 2xx that ended well.</summary>
    public bool IsDelivered => Error is null && Status is >= 200 and < 300;
}
