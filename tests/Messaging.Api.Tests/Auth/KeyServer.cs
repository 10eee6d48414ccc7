using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.Tokens;

namespace Messaging.Api.Tests.Auth;

/// <summary>An issuer of tokens that publishes its keys, and may change them or be away.</summary>
sealed class KeyServer : IAsyncDisposable
{
    readonly ConcurrentDictionary<string, object> published = new(StringComparer.Ordinal);
    readonly WebApplication app;
    volatile TaskCompletionSource held = new();
    int fetches;

    KeyServer()
    {
        held.SetResult();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.MapGet("/jwks", async () =>
        {
            Interlocked.Increment(ref fetches);
            await held.Task;
            return IsAway ? Results.StatusCode(500) : Results.Json(new { keys = published.Values });
        });
    }

    public string Address => app.Urls.Single() + "/jwks";

    public int Fetches => Volatile.Read(ref fetches);

    public bool IsAway { get; set; }

    public static async Task<KeyServer> StartAsync()
    {
        var server = new KeyServer();
        await server.app.StartAsync();
        return server;
    }

    /// <summary>A new RSA key, published at once.</summary>
    public SigningCredentials PublishRsa(string keyId)
    {
        var rsa = RSA.Create(2048);
        var p = rsa.ExportParameters(includePrivateParameters: false);
        published[keyId] = new { kty = "RSA", use = "sig", kid = keyId, n = Base64UrlEncoder.Encode(p.Modulus),
            e = Base64UrlEncoder.Encode(p.Exponent) };
        return new SigningCredentials(new RsaSecurityKey(rsa) { KeyId = keyId }, SecurityAlgorithms.RsaSha256);
    }

    /// <summary>A new key over P-256, published at once.</summary>
    public SigningCredentials PublishElliptic(string keyId)
    {
        var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var q = ec.ExportParameters(includePrivateParameters: false).Q;
        published[keyId] = new { kty = "EC", crv = "P-256", alg = "ES256", kid = keyId, x = Base64UrlEncoder.Encode(q.X),
            y = Base64UrlEncoder.Encode(q.Y) };
        return new SigningCredentials(new ECDsaSecurityKey(ec) { KeyId = keyId }, SecurityAlgorithms.EcdsaSha256);
    }

    /// <summary>A key of somebody else's.</summary>
    public static SigningCredentials Unpublished() =>
        new(new RsaSecurityKey(RSA.Create(2048)) { KeyId = "unknown" }, SecurityAlgorithms.RsaSha256);

    /// <summary>A shared secret, which nobody should publish.</summary>
    public SigningCredentials PublishSecret(string keyId)
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        published[keyId] = new { kty = "oct", alg = "HS256", kid = keyId, k = Base64UrlEncoder.Encode(secret) };
        return new SigningCredentials(new SymmetricSecurityKey(secret) { KeyId = keyId }, SecurityAlgorithms.HmacSha256);
    }

    /// <summary>Lets whoever asks wait, until <see cref="Release"/>.</summary>
    public void Hold() => held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => held.TrySetResult();

    public void Withdraw(string keyId) => published.TryRemove(keyId, out _);

    public ValueTask DisposeAsync()
    {
        Release();
        return app.DisposeAsync();
    }
}
