using Messaging.Api.Auth;
using Messaging.Api.Realtime;
using Messaging.Application.Common;
using Messaging.Application.Revocations;
using Microsoft.AspNetCore.Http.Features;

namespace Messaging.Api.Events;

/// <summary><c>Messaging__EventStream__*</c></summary>
public sealed class EventStreamSettings : ISettings
{
    public static string Section => "Messaging:EventStream";

    /// <summary>How often a comment is sent, so that nothing on the way takes a quiet stream for a dead one.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);

    public IEnumerable<string> Errors()
    {
        if (Heartbeat < TimeSpan.FromSeconds(1) || Heartbeat > TimeSpan.FromMinutes(5))
            yield return "Heartbeat: 00:00:01 to 00:05:00 is expected.";
    }
}

/// <summary>An answer that goes on: server-sent events, until the client leaves or the connection is closed.</summary>
public sealed class EventStream : ILiveWire, IDisposable
{
    public const string MediaType = "text/event-stream";

    // How soon clients connect again, in milliseconds: at once would bring them all at the same moment to the node that is left.
    private static readonly ReadOnlyMemory<byte> Beginning = "retry: 2000\n\n"u8.ToArray();
    private static readonly ReadOnlyMemory<byte> Comment = ":\n\n"u8.ToArray();

    // For an event that is on its way when the stream is to end.
    private static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(500);

    private readonly HttpContext context;
    private readonly TimeSpan heartbeat;
    private readonly CancellationTokenSource over;
    private readonly CancellationTokenRegistration leaving;
    private readonly TaskCompletionSource closing = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Nothing is written before the answer has begun, nor after its end.
    private readonly SemaphoreSlim turn = new(0, 1);

    public EventStream(HttpContext context, TimeSpan heartbeat, CancellationToken stopping)
    {
        (this.context, this.heartbeat) = (context, heartbeat);
        Credential = context.User.Credential();
        over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        Aborted = over.Token;
        leaving = stopping.Register(RequestClose);
    }

    public CancellationToken Aborted { get; }

    public Credential? Credential { get; }

    public ValueTask WriteAsync(LiveEvent told, CancellationToken ct) => new(WriteAsync(told.Lines, ct));

    public void RequestClose() => closing.TrySetResult();

    /// <summary>What the answer's head says; for HEAD that is all.</summary>
    public static void Describe(HttpResponse response)
    {
        response.ContentType = MediaType;
        // Caches are told by what every answer says; some proxies would collect what is sent.
        response.Headers["X-Accel-Buffering"] = "no";
    }

    /// <summary>Returns when it is over. A reader that does not take even the last of it is cut off.</summary>
    public async Task RunAsync()
    {
        Describe(context.Response);
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        turn.Release();
        var beat = WriteAsync(Beginning, Aborted);
        while (await IsOpenAsync(beat) && await IsOpenAsync(Task.Delay(heartbeat, Aborted)))
            beat = WriteAsync(Comment, Aborted);
        if (!await turn.WaitAsync(Farewell, CancellationToken.None))
        {
            context.Abort();
            await turn.WaitAsync(CancellationToken.None);
        }
        await over.CancelAsync();
        await beat.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        leaving.Dispose();
        over.Dispose();
        turn.Dispose();
    }

    // Whether it is still open once something is done.
    private async Task<bool> IsOpenAsync(Task done) => await Task.WhenAny(done, closing.Task) == done && done.IsCompletedSuccessfully;

    private async Task WriteAsync(ReadOnlyMemory<byte> lines, CancellationToken ct)
    {
        await turn.WaitAsync(ct);
        try
        {
            await context.Response.BodyWriter.WriteAsync(lines, ct);
        }
        finally
        {
            turn.Release();
        }
    }
}
