using System.Buffers.Text;
using FluentValidation;

namespace Messaging.Application.Notifications;

public sealed class DeviceKeysValidator : AbstractValidator<DeviceKeys>
{
    private const int PublicKeyLength = 65;
    private const int SecretLength = 16;
    private const byte UncompressedPoint = 4;

    public DeviceKeysValidator()
    {
        RuleFor(k => k.P256dh).Must(key => Decode(key) is { Length: PublicKeyLength } bytes && bytes[0] == UncompressedPoint)
            .WithMessage("The subscription's p256dh is expected: a public key of 65 bytes in base64url.");
        RuleFor(k => k.Auth).Must(key => Decode(key) is { Length: SecretLength })
            .WithMessage("The subscription's auth is expected: 16 bytes in base64url.");
    }

    private static byte[]? Decode(string key)
    {
        var bytes = new byte[128];
        return key.Length <= bytes.Length && Base64Url.IsValid(key) && Base64Url.TryDecodeFromChars(key, bytes, out var length)
            ? bytes[..length] : null;
    }
}
