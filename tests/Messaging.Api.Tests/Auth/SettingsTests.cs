using System.Security.Cryptography;
using Messaging.Api.Auth;

namespace Messaging.Api.Tests.Auth;

public sealed class SettingsTests
{
    [Test]
    public void Production_asks_for_an_issuer_and_an_audience() =>
        Assert.That(
            new AuthSettings().Errors(production: true), Has.Exactly(1).StartsWith("Issuer:").And.Exactly(1).StartsWith("Audience:"));

    [Test]
    public void Elsewhere_nothing_is_required() =>
        Assert.That(new AuthSettings().Errors(production: false), Is.Empty);

    [TestCase("too-short-a-secret")]
    public void A_short_secret_is_an_error_that_does_not_tell_it(string secret)
    {
        var errors = new AuthSettings { Hs256Secret = secret }.Errors(production: false).ToList();

        Assert.That(errors, Has.Count.EqualTo(1).And.One.StartsWith("Hs256Secret:"));
        Assert.That(errors[0], Does.Not.Contain(secret));
    }

    [Test]
    public void Keys_that_are_no_public_keys_are_errors()
    {
        using var small = RSA.Create(1024);
        using var secret = RSA.Create(2048);
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP384);

        foreach (var text in new[]
                 {
                     "nonsense", small.ExportSubjectPublicKeyInfoPem(), secret.ExportPkcs8PrivateKeyPem(),
                     curve.ExportSubjectPublicKeyInfoPem(),
                     "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
                 })
        {
            Assert.That(new AuthSettings { PublicKeys = text }.Errors(production: false), Has.One.StartsWith("PublicKeys:"), text);
        }
    }

    [Test]
    public void Line_ends_of_a_key_may_be_escaped()
    {
        using var rsa = RSA.Create(2048);
        var text = rsa.ExportSubjectPublicKeyInfoPem().Replace("\n", "\\n", StringComparison.Ordinal);

        Assert.That(new AuthSettings { PublicKeys = text }.Errors(production: false), Is.Empty);
    }

    [TestCase("http://issuer.test/jwks", true, 1)]
    [TestCase("http://issuer.test/jwks", false, 0)]
    [TestCase("http://127.0.0.1:9/jwks", true, 0)]
    [TestCase("https://issuer.test/jwks", true, 0)]
    [TestCase("issuer.test", false, 1)]
    [TestCase("file:///etc/passwd", false, 1)]
    public void In_production_keys_are_fetched_over_https(string url, bool production, int errors) =>
        Assert.That(
            new AuthSettings { JwksUrl = url, Issuer = "i", Audience = "a" }.Errors(production),
            Has.Exactly(errors).StartsWith("JwksUrl:"));

    [TestCase("msk_ok_0123456789abcdef0123456789abcdef", 0)]
    [TestCase("msk_ok_0123456789abcdef0123456789abcde", 1)]
    [TestCase("ok_0123456789abcdef0123456789abcdef", 1)]
    public void A_bootstrap_key_has_the_form_of_a_key(string key, int errors) =>
        Assert.That(new AuthSettings { BootstrapServiceKey = key }.Errors(production: false),
            Has.Exactly(errors).StartsWith("BootstrapServiceKey:"));
}
