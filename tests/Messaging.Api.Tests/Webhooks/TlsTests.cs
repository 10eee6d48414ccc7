using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Messaging.Api.Tests.Webhooks;

public sealed class TlsTests : WebhookClientFixture
{
    [Test]
    public async Task A_receiver_whose_certificate_nobody_vouches_for_is_told_nothing()
    {
        await using var receiver = new SecureReceiver(Certificate());

        var error = await ErrorAsync(receiver.Url);

        Assert.That(error, Does.StartWith("No secure connection was made"));
        Assert.That(receiver.Received, Is.Zero);
    }

    // The certificate names an address from which the one above it can be had; which that is, its owner decides.
    [Test]
    public async Task No_address_that_a_certificate_names_is_called()
    {
        await using var named = Receiver.Answering(Receiver.Ok);
        await using var receiver = new SecureReceiver(Certificate(new Uri($"http://127.0.0.1:{named.Port}/issuer.crt")));

        await ErrorAsync(receiver.Url);

        Assert.That(named.Connections, Is.Zero);
    }

    private static async Task<string?> ErrorAsync(Uri url)
    {
        using var client = Client();
        return (await client.SendAsync(Call(url), CancellationToken.None)).Error;
    }

    private static X509Certificate2 Certificate(Uri? issuerAddress = null)
    {
        using var key = RSA.Create(2048);
        using var issuerKey = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        if (issuerAddress is not null)
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(
                ocspUris: null, caIssuersUris: [issuerAddress.OriginalString]));
        var (from, to) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var signed = request.Create(
            new X500DistinguishedName("CN=Nobody"), X509SignatureGenerator.CreateForRSA(issuerKey, RSASignaturePadding.Pkcs1), from, to,
            [1, 2, 3, 4]);
        using var whole = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), password: null);
    }

    /// <summary>Counts the bytes that it is sent once a connection is secure.</summary>
    private sealed class SecureReceiver : IAsyncDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource stop = new();
        private readonly X509Certificate2 certificate;
        private readonly Task serving;
        private long received;

        public SecureReceiver(X509Certificate2 certificate)
        {
            this.certificate = certificate;
            listener.Start();
            serving = ServeAsync();
        }

        public Uri Url => new($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");

        public long Received => Interlocked.Read(ref received);

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await serving;
            listener.Stop();
            certificate.Dispose();
            stop.Dispose();
        }

        private async Task ServeAsync()
        {
            // Offline: by itself the server, too, would look for the certificate above its own.
            var own = new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
            };
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    using var client = await listener.AcceptTcpClientAsync(stop.Token);
                    await using var stream = new SslStream(client.GetStream());
                    await stream.AuthenticateAsServerAsync(own, stop.Token);
                    Interlocked.Add(ref received, await stream.ReadAsync(new byte[1024], stop.Token));
                }
                catch (Exception e) when (e is IOException or AuthenticationException or OperationCanceledException)
                {
                    // The other side does not trust the certificate, or the test is over.
                }
            }
        }
    }
}
