using FluentValidation;
using Messaging.Application.Outbound;

namespace Messaging.Application.Notifications;

public sealed class PutDeviceValidator : AbstractValidator<PutDevice>
{
    private const int TokenLength = 2_048;

    public PutDeviceValidator(IOutboundAddresses addresses)
    {
        RuleFor(d => d.Token).Must(token => token.Length is >= 1 and <= TokenLength && token.All(c => c is > ' ' and <= '~'))
            .WithMessage("A token has 1 to 2,048 characters of ASCII, without spaces.");
        RuleFor(d => d.Keys).Must((device, keys) => (keys is not null) == (device.Platform is DevicePlatform.Web))
            .WithMessage("The keys of the subscription are expected for the platform web, and for no other.");
        When(d => d.Platform is DevicePlatform.Web, () => RuleFor(d => d.Token).Must(IsSecureAddress)
            .WithMessage("For the platform web, the token is the subscription's endpoint, an https address without a fragment.")
            .Must(token => addresses.ArePrivateAllowed || IsAtUsualPort(token))
            .WithMessage("The address names another port than that of https."));
        RuleFor(d => d.Keys!).SetValidator(new DeviceKeysValidator()).When(d => d.Keys is not null);
    }

    private static bool IsSecureAddress(string token) =>
        Uri.TryCreate(token, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps && uri.UserInfo.Length == 0
        // A fragment is not sent: with others, one subscription would be many devices.
        && !token.Contains('#', StringComparison.Ordinal);

    // Push services have no other, and each port of a host would be a server of its own.
    private static bool IsAtUsualPort(string token) =>
        !Uri.TryCreate(token, UriKind.Absolute, out var uri) || uri.IsDefaultPort;
}
