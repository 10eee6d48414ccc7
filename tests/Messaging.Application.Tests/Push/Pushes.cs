using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Messaging.Application.Push;
using Messaging.Infrastructure.Outbound;
using Messaging.Infrastructure.Push;
using Messaging.Infrastructure.Webhooks;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using NodaTime;

namespace Messaging.Application.Tests.Push;

/// <summary>Pushes and keys for tests.</summary>
internal static class Pushes
{
    /// <summary>Ways to servers on this machine, which is a private network.</summary>
    public static PushHandlers Handlers(bool allowPrivate = true) => new(
        new OutboundAddresses(new SystemNames(), new WebhookSettings { AllowPrivateNetworks = allowPrivate }));

    public static PushMessage To(PushDevice? device, string body = "See you at 8") => new()
    {
        NotificationId = Guid.Parse("0197aaaa-0000-7000-8000-00000000000a"),
        UserId = "anna",
        Device = device,
        Type = "message",
        ConversationId = Guid.Parse("0197bbbb-0000-7000-8000-00000000000b"),
        MessageId = Guid.Parse("0197cccc-0000-7000-8000-00000000000c"),
        SenderId = "ben",
        Title = "Ben",
        Body = body,
        Count = 2,
        Badge = 7,
        RaisedAt = SystemClock.Instance.GetCurrentInstant(),
        ExpiresAt = SystemClock.Instance.GetCurrentInstant() + Duration.FromHours(1),
    };

    /// <summary>What a token says once its signature, audience and times were checked by a library that is not ours.</summary>
    public static async Task<JsonWebToken> VerifyAsync(string token, SecurityKey key, string? audience)
    {
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            IssuerSigningKey = key,
            ValidAudience = audience,
            ValidateAudience = audience is not null,
            ValidateIssuer = false,
            ValidateLifetime = audience is not null,
        });
        Assert.That(result.IsValid, Is.True, () => result.Exception.Message);
        return (JsonWebToken)result.SecurityToken;
    }

    public static ECDsaSecurityKey PublicKey(string base64Url)
    {
        var point = Base64Url.DecodeFromChars(base64Url);
        return new ECDsaSecurityKey(ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = point[1..33], Y = point[33..] },
        }));
    }

    public static string NewRsaKey()
    {
        using var key = RSA.Create(2048);
        return key.ExportPkcs8PrivateKeyPem();
    }

    /// <param name="key">As PEM.</param>
    public static string ServiceAccount(string key, string tokenAddress) => JsonSerializer.Serialize(new
    {
        type = "service_account",
        project_id = "chat-test",
        private_key_id = "key-1",
        private_key = key,
        client_email = "push@chat-test.iam.gserviceaccount.com",
        token_uri = tokenAddress,
    });
}

/// <summary>A browser's subscription, which can read what it is sent.</summary>
internal sealed class Browser : IDisposable
{
    private readonly ECDiffieHellman key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
    private readonly byte[] secret = RandomNumberGenerator.GetBytes(16);

    public PushDevice At(string address)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return new PushDevice(
            "browser", "web", address, Base64Url.EncodeToString([4, .. point.X!, .. point.Y!]), Base64Url.EncodeToString(secret));
    }

    /// <summary>By the words of RFC 8291, section 3.4, and RFC 8188, section 2: HMAC by HMAC.</summary>
    public byte[] Decrypt(byte[] message)
    {
        var (salt, senderKey) = (message[..16], message[21..86]);
        Assert.That((message[16..20], message[20]), Is.EqualTo((new byte[] { 0, 0, 16, 0 }, (byte)65)));
        using var sender = ECDiffieHellman.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = senderKey[1..33], Y = senderKey[33..] },
        });
        var own = Base64Url.DecodeFromChars(At("").P256dh);
        var agreed = Mac(secret, key.DeriveRawSecretAgreement(sender.PublicKey));
        var material = Mac(agreed, [.. "WebPush: info\0"u8, .. own, .. senderKey, 1]);
        var pseudoRandom = Mac(salt, material);
        using var cipher = new AesGcm(Mac(pseudoRandom, [.. "Content-Encoding: aes128gcm\0"u8, 1])[..16], 16);
        var nonce = Mac(pseudoRandom, [.. "Content-Encoding: nonce\0"u8, 1])[..12];
        var plain = new byte[message.Length - 86 - 16];
        cipher.Decrypt(nonce, message.AsSpan(86, plain.Length), message.AsSpan(^16..), plain);
        var end = Array.FindLastIndex(plain, one => one != 0);
        Assert.That(plain[end], Is.EqualTo(2), "the delimiter of the last record");
        return plain[..end];
    }

    public void Dispose() => key.Dispose();

    private static byte[] Mac(byte[] key, byte[] data) => HMACSHA256.HashData(key, data);
}
