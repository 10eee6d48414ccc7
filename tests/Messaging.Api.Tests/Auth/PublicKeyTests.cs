using System.Security.Cryptography;
using System.Text;
using Messaging.Testing;
using Microsoft.IdentityModel.Tokens;

namespace Messaging.Api.Tests.Auth;

public sealed class PublicKeyTests
{
    readonly RSA rsa = RSA.Create(2048);
    readonly ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync(
        ("Messaging:Auth:Hs256Secret", null),
        ("Messaging:Auth:PublicKeys", $"{rsa.ExportSubjectPublicKeyInfoPem()}\n{ec.ExportSubjectPublicKeyInfoPem()}"));

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await api.DisposeAsync();
        rsa.Dispose();
        ec.Dispose();
    }

    [Test]
    public async Task A_token_of_the_configured_rsa_key_is_good() =>
        Assert.That(await MeAsync(new RsaSecurityKey(rsa), SecurityAlgorithms.RsaSha256), Is.EqualTo("200"));

    [Test]
    public async Task A_token_of_the_configured_elliptic_key_is_good() =>
        Assert.That(await MeAsync(new ECDsaSecurityKey(ec), SecurityAlgorithms.EcdsaSha256), Is.EqualTo("200"));

    [Test]
    public async Task The_key_id_does_not_matter_for_a_key_without_one() =>
        Assert.That(await MeAsync(new RsaSecurityKey(rsa) { KeyId = "any" }, SecurityAlgorithms.RsaSha256), Is.EqualTo("200"));

    [Test]
    public async Task A_token_of_another_key_is_refused()
    {
        using var other = RSA.Create(2048);

        Assert.That(await MeAsync(new RsaSecurityKey(other), SecurityAlgorithms.RsaSha256), Is.EqualTo("401 unauthenticated"));
    }

    [TestCase(SecurityAlgorithms.RsaSha512)]
    [TestCase(SecurityAlgorithms.RsaSsaPssSha256)]
    public async Task Another_algorithm_of_the_same_key_is_refused(string algorithm) =>
        Assert.That(await MeAsync(new RsaSecurityKey(rsa), algorithm), Is.EqualTo("401 unauthenticated"));

    [Test]
    public async Task A_public_key_is_no_shared_secret() =>
        Assert.That(await ConfusedAsync(api), Is.All.EqualTo("401 unauthenticated"));

    [Test]
    public async Task A_public_key_is_no_shared_secret_where_there_is_one_too()
    {
        await using var both = await ApiHost.StartAsync(("Messaging:Auth:PublicKeys", rsa.ExportSubjectPublicKeyInfoPem()));

        Assert.That(await ConfusedAsync(both), Is.All.EqualTo("401 unauthenticated"));
        Assert.That(await both.ClientFor("anna").GetAsync("/v1/me").OutcomeAsync(), Is.EqualTo("200"));
    }

    [Test]
    public async Task Without_a_shared_secret_no_token_is_minted()
    {
        await api.ServiceClient().PutAsync("/v1/users/anna", new StringContent("{}", Encoding.UTF8, "application/json"));
        using var response = await api.ServiceClient()
            .PostAsync("/v1/users/anna/tokens", new StringContent("{}", Encoding.UTF8, "application/json"));

        Assert.That((await response.JsonAsync()).GetProperty("detail").GetString(), Does.Contain("Messaging__Auth__Hs256Secret"));
    }

    Task<string> MeAsync(SecurityKey key, string algorithm) =>
        api.ClientWithToken(Token(new SigningCredentials(key, algorithm))).GetAsync("/v1/me").OutcomeAsync();

    // The attack: the public key, in each form that somebody may have read it, as the secret of an HMAC.
    async Task<List<string>> ConfusedAsync(ApiHost host)
    {
        var pem = rsa.ExportSubjectPublicKeyInfoPem();
        var outcomes = new List<string>();
        foreach (var secret in new[] { Encoding.UTF8.GetBytes(pem), Encoding.UTF8.GetBytes(pem + "\n"), rsa.ExportSubjectPublicKeyInfo() })
        {
            var token = Token(new SigningCredentials(new SymmetricSecurityKey(secret), SecurityAlgorithms.HmacSha256));
            outcomes.Add(await host.ClientWithToken(token).GetAsync("/v1/me").OutcomeAsync());
        }
        return outcomes;
    }

    static string Token(SigningCredentials credentials) => ApiHost.Token(
        new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["sub"] = "anna",
            ["iss"] = ApiHost.Issuer,
            ["aud"] = ApiHost.Audience,
            ["exp"] = DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds(),
        },
        credentials);
}
