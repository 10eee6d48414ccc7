using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using NodaTime;

namespace Messaging.Infrastructure.Push;

/// <summary>Signs what providers ask for as a JSON Web Token.</summary>
internal static class PushTokens
{
    public static string Sign(ECDsa key, string? keyId, object claims) =>
        Sign("ES256", keyId, claims, bytes => key.SignData(bytes, HashAlgorithmName.SHA256));

    public static string Sign(RSA key, string? keyId, object claims) =>
        Sign("RS256", keyId, claims, bytes => key.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    private static string Sign(string algorithm, string? keyId, object claims, Func<byte[], byte[]> sign)
    {
        var header = new Dictionary<string, string>(StringComparer.Ordinal) { ["alg"] = algorithm, ["typ"] = "JWT" };
        if (keyId is not null)
            header["kid"] = keyId;
        var content = $"{Encode(header)}.{Encode(claims)}";
        return $"{content}.{Base64Url.EncodeToString(sign(System.Text.Encoding.ASCII.GetBytes(content)))}";
    }

    private static string Encode(object json) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(json));
}

/// <summary>A token that is good for a time: made when it is asked for, by one at a time.</summary>
internal sealed class KeptToken(IClock clock) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1, 1);
    private Kept? kept;
    private int failures;

    /// <summary>The token; null when there is none to be had.</summary>
    /// <param name="make">Makes one and says until when to use it; null where that fails.</param>
    public async Task<string?> GetAsync(Func<CancellationToken, Task<(string Token, Instant Until)?>> make, CancellationToken ct)
    {
        if (Good() is { } token)
            return token;
        var failed = Volatile.Read(ref failures);
        await turn.WaitAsync(ct);
        try
        {
            if (Good() is { } meanwhile)
                return meanwhile;
            // Whoever waited for it in vain does not wait once more, each after the other.
            if (failures != failed)
                return null;
            var made = await make(ct);
            kept = made is { } one ? new Kept(one.Token, one.Until) : null;
            failures += made is null ? 1 : 0;
            return made?.Token;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>The provider does not take it: the next one is made anew.</summary>
    public void Drop(string token)
    {
        if (kept is { } one && one.Token == token)
            Interlocked.CompareExchange(ref kept, null, one);
    }

    public void Dispose() => turn.Dispose();

    private string? Good() => Volatile.Read(ref kept) is { } one && clock.GetCurrentInstant() < one.Until ? one.Token : null;

    private sealed record Kept(string Token, Instant Until);
}
