using Messaging.Api.Logging;

namespace Messaging.Api.Tests.Surface;

public sealed class SecretsTests
{
    [TestCase("GET /hubs/v1?access_token=abc.def&id=1", "GET /hubs/v1?access_token=[hidden]&id=1")]
    [TestCase("GET /hubs/v1?id=1&access_token=abc", "GET /hubs/v1?id=1&access_token=[hidden]")]
    [TestCase("Authorization: Bearer abc.def-ghi", "Authorization: [hidden]")]
    [TestCase("{\"Authorization\":\"Bearer abc\"}", "{\"Authorization\":\"[hidden]\"}")]
    [TestCase("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln here", "token [hidden] here")]
    [TestCase("key msk_shop_0123456789abcdef", "key msk_shop_[hidden]")]
    [TestCase("{\"refreshToken\":\"mrt_0a-B_9\"}", "{\"refreshToken\":\"mrt_[hidden]\"}")]
    [TestCase("Host=db;Password=abc;Database=x", "Host=db;Password=[hidden];Database=x")]
    [TestCase("nothing to hide", "nothing to hide")]
    public void A_credential_does_not_pass(string line, string expected) => Assert.That(Secrets.Hide(line), Is.EqualTo(expected));
}
