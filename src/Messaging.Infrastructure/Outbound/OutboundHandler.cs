using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Messaging.Infrastructure.Outbound;

/// <summary>
/// How addresses that somebody else has chosen are called. What is connected to is the very address that was checked; nothing on the way,
/// be it a proxy, a redirect or another name for the same host, leads elsewhere.
/// </summary>
static class OutboundHandler
{
    private const int MaxHeaderKilobytes = 16;

    // A name may have any number of addresses; whoever has several is reachable by one of the first.
    private const int AddressesTried = 4;

    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(10);

    public static SocketsHttpHandler New(OutboundAddresses addresses) => new()
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        MaxResponseHeadersLength = MaxHeaderKilobytes,
        MaxResponseDrainSize = 0,
        ConnectTimeout = ConnectPatience,
        PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20),
        ConnectCallback = (context, ct) => ConnectAsync(addresses, context, ct),
        // As the system verifies, but with what the other side has sent: a certificate may name any address to fetch others from.
        SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                DisableCertificateDownloads = true,
                RevocationMode = X509RevocationMode.NoCheck,
            },
        },
    };

    private static async ValueTask<Stream> ConnectAsync(
        OutboundAddresses addresses, SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var found = await addresses.ResolveAsync(context.DnsEndPoint.Host, ct);
        for (var i = 0; ; i++)
        {
            var socket = new Socket(found[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(found[i], context.DnsEndPoint.Port), ct);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (i + 1 < Math.Min(found.Length, AddressesTried))
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }
}
