using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Messaging.Application.Tests.Push;

/// <summary>A provider on this machine, which keeps what it is sent and answers as it is told.</summary>
internal sealed class PushServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<PushCall> calls = new();

    private PushServer(HttpProtocols protocols)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocols));
        app = builder.Build();
        app.Run(AnswerAsync);
    }

    public string Address => app.Urls.Single();

    public IReadOnlyList<PushCall> Calls => [.. calls];

    /// <summary>What it says to a call; 200 without a body unless told.</summary>
    public Func<PushCall, Task<PushReply>> Reply { get; set; } = _ => Task.FromResult(new PushReply(200));

    public static async Task<PushServer> StartAsync(HttpProtocols protocols = HttpProtocols.Http1)
    {
        var server = new PushServer(protocols);
        await server.app.StartAsync();
        return server;
    }

    public void Answer(int status, object? json = null, params (string Name, string Value)[] headers) =>
        Reply = _ => Task.FromResult(new PushReply(status, json) { Headers = headers });

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var call = new PushCall(
            $"{context.Request.Protocol} {context.Request.Method} {context.Request.Path}",
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray());
        calls.Enqueue(call);
        var reply = await Reply(call);
        context.Response.StatusCode = reply.Status;
        foreach (var (name, value) in reply.Headers)
            context.Response.Headers[name] = value;
        if (reply.Json is not null)
            await context.Response.WriteAsJsonAsync(reply.Json);
        if (reply.IsEndless)
            await GoOnAsync(context);
    }

    private static async Task GoOnAsync(HttpContext context)
    {
        await context.Response.Body.WriteAsync(new byte[64 * 1024], context.RequestAborted);
        await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}

/// <param name="Line">Such as <c>HTTP/1.1 POST /push</c>.</param>
internal sealed record PushCall(string Line, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public JsonNode Json => JsonNode.Parse(Body)!;

    public string Token => Headers["Authorization"].Split(' ')[1];
}

internal sealed record PushReply(int Status, object? Json = null)
{
    public (string Name, string Value)[] Headers { get; init; } = [];

    /// <summary>Whether bytes follow, and no end until the other side has had enough.</summary>
    public bool IsEndless { get; init; }
}
