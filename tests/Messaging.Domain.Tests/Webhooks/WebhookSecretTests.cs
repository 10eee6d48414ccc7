using System.Security.Cryptography;
using System.Text;
using Messaging.Domain.Webhooks;
using NodaTime;

namespace Messaging.Domain.Tests.Webhooks;

public sealed class WebhookSecretTests
{
    // The example of the specification's own libraries.
    [Test]
    public void A_signature_is_that_of_Standard_Webhooks()
    {
        var secret = WebhookSecret.Parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

        var signature = secret.Sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek", Instant.FromUnixTimeSeconds(1_614_265_330), """{"test": 2432232314}"""u8);

        Assert.That(signature, Is.EqualTo("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    [Test]
    public void A_new_secret_is_one_and_no_other_is_the_same()
    {
        var text = WebhookSecret.New().Reveal();

        Assert.That(WebhookSecret.Parse(text).Reveal(), Is.EqualTo(text).And.Not.EqualTo(WebhookSecret.New().Reveal()));
    }

    [TestCase(23, false)]
    [TestCase(24, true)]
    [TestCase(64, true)]
    [TestCase(65, false)]
    public void A_secret_has_24_to_64_bytes(int bytes, bool isOne)
    {
        var text = $"whsec_{Convert.ToBase64String(RandomNumberGenerator.GetBytes(bytes))}";

        Assert.That(WebhookSecret.TryParse(text, out _), Is.EqualTo(isOne));
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("whsec_")]
    [TestCase("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [TestCase("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [TestCase("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS")]
    [TestCase("whsec_MfKQ9r8GKYqrTwjUPD8I LPZIo2LaLaSw")]
    [TestCase("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")]
    [TestCase("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr-_==")]
    public void Text_that_receivers_would_read_otherwise_or_not_at_all_is_no_secret(string? text) =>
        Assert.That(WebhookSecret.TryParse(text, out _), Is.False);

    [Test]
    public void A_secret_does_not_get_into_texts_by_accident()
    {
        var secret = WebhookSecret.New();

        Assert.That($"{secret}", Is.EqualTo("whsec_…"));
    }

    [Test]
    public void Each_part_of_a_call_is_signed()
    {
        var (secret, at) = (WebhookSecret.New(), Instant.FromUnixTimeSeconds(1));

        Assert.That(
            new[]
            {
                secret.Sign("a", at, "{}"u8), secret.Sign("b", at, "{}"u8), secret.Sign("a", at + Duration.FromSeconds(1), "{}"u8),
                secret.Sign("a", at, Encoding.UTF8.GetBytes("[]")), WebhookSecret.New().Sign("a", at, "{}"u8),
            },
            Is.Unique);
    }
}
