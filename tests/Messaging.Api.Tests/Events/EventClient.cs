using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Messaging.Api.Tests.Events;

/// <summary>A client that follows <c>GET /v1/events</c>, which the framework's own parser reads.</summary>
internal sealed class EventClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly SseParser<string> parser;
    private readonly IAsyncEnumerator<SseItem<string>> events;

    private EventClient(HttpResponseMessage response, Stream stream)
    {
        Response = response;
        parser = SseParser.Create(stream);
        events = parser.EnumerateAsync().GetAsyncEnumerator();
    }

    public HttpResponseMessage Response { get; }

    /// <summary>What a browser would send when it connects again.</summary>
    public string LastEventId => parser.LastEventId;

    public TimeSpan ReconnectsAfter => parser.ReconnectionInterval;

    public static async Task<EventClient> OpenAsync(HttpClient client, string? lastEventId = null, string query = "")
    {
        var response = await SendAsync(client, lastEventId, query);
        Assert.That((int)response.StatusCode, Is.EqualTo(200));
        return new EventClient(response, await response.Content.ReadAsStreamAsync());
    }

    public static Task<HttpResponseMessage> SendAsync(
        HttpClient client, string? lastEventId = null, string query = "", HttpMethod? method = null, string? accept = null)
    {
        var request = new HttpRequestMessage(method ?? HttpMethod.Get, $"/v1/events{query}");
        if (lastEventId is not null)
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        request.Headers.TryAddWithoutValidation("Accept", accept ?? "text/event-stream");
        return client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>The next event of a type: its name in the stream, and the envelope.</summary>
    public async Task<(SseItem<string> Item, JsonElement Envelope)> NextAsync(string type)
    {
        while (await events.MoveNextAsync().AsTask().WaitAsync(Patience))
        {
            var envelope = JsonElement.Parse(events.Current.Data);
            if (envelope.GetProperty("type").GetString() == type)
                return (events.Current, envelope);
        }
        throw new EndOfStreamException($"The stream ended before a {type}.");
    }

    /// <summary>Reads until the service ends the stream, in good order.</summary>
    public async Task EndAsync()
    {
        while (await events.MoveNextAsync().AsTask().WaitAsync(Patience))
        {
        }
    }

    public ValueTask DisposeAsync()
    {
        Response.Dispose();
        return ValueTask.CompletedTask;
    }
}
