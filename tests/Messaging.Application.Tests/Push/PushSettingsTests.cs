using System.Security.Cryptography;
using Messaging.Application.Push;

namespace Messaging.Application.Tests.Push;

public sealed class PushSettingsTests
{
    private static readonly VapidKeys Keys = VapidKeys.Make();

    [Test]
    public void Without_any_provider_nothing_is_wrong_and_nothing_is_pushed()
    {
        var settings = new PushSettings();

        Assert.That((settings.IsConfigured, settings.Errors().Count()), Is.EqualTo((false, 0)));
    }

    [Test]
    public void All_that_is_wrong_is_said_at_once_and_no_value()
    {
        var settings = new PushSettings
        {
            WebPush = new WebPushSettings { Subject = "someone", PublicKey = "secret-1", PrivateKey = "secret-2" },
            Fcm = new FcmSettings { ServiceAccount = "/no/such/secret-3.json", Address = "secret-4" },
            Apns = new ApnsSettings { PrivateKey = "secret-5", Address = "ftp://secret-6" },
            Webhook = new PushWebhookSettings { Url = "secret-7", Secret = "whsec_c2VjcmV0" },
        };

        var errors = settings.Errors().ToList();

        Assert.That(errors.Select(error => error[..error.IndexOf(':', StringComparison.Ordinal)]), Is.EqualTo(new[]
        {
            "WebPush__Subject", "WebPush__PrivateKey", "Fcm__ServiceAccount", "Fcm__Address", "Apns__KeyId", "Apns__TeamId",
            "Apns__PrivateKey", "Apns__Topic", "Apns__Address", "Webhook__Url", "Webhook__Secret",
        }));
        Assert.That(errors, Has.None.Contains("secret-").And.None.Contains("whsec_c2"));
    }

    [Test]
    public void A_public_key_of_another_pair_is_refused()
    {
        var settings = new PushSettings
        {
            WebPush = new WebPushSettings
            {
                Subject = "mailto:push@test", PublicKey = VapidKeys.Make().PublicKey, PrivateKey = Keys.PrivateKey,
            },
        };

        Assert.That(settings.Errors().Single(), Does.StartWith("WebPush__PublicKey: "));
    }

    [Test]
    public void Keys_may_stand_in_files_or_in_one_line()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = key.ExportPkcs8PrivateKeyPem();
        var file = Path.GetTempFileName();
        File.WriteAllText(file, pem);

        var errors = new[] { pem, pem.Replace("\n", "\\n", StringComparison.Ordinal), file }.SelectMany(text => new PushSettings
        {
            Apns = new ApnsSettings { KeyId = "ABCDE12345", TeamId = "TEAM123456", Topic = "com.example.chat", PrivateKey = text },
        }.Errors()).ToList();
        File.Delete(file);

        Assert.That(errors, Is.Empty);
    }
}
