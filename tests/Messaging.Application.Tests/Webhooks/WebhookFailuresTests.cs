using System.Net;
using System.Net.Sockets;
using Messaging.Infrastructure.Webhooks;

namespace Messaging.Application.Tests.Webhooks;

public class WebhookFailuresTests
{
    [Test]
    public async Task A_receiver_that_speaks_plain_http_is_told_to_look_at_TLS()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new HttpClient();
        var call = client.GetAsync(new Uri($"https://{listener.LocalEndpoint}/"));
        using var receiver = await listener.AcceptTcpClientAsync();
        await receiver.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"u8.ToArray());

        var failure = await Assert.CatchAsync<HttpRequestException>(() => call);

        Assert.That(WebhookFailures.Describe(failure!), Does.Contain("does not speak TLS"));
    }
}
