using System.Data;
using Dapper;
using Messaging.Api.Logging;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

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
    [TestCase("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD= of", "whsec_[hidden] of")]
    [TestCase("""{"s":"whsec_ab\u002Bcd="}""", """{"s":"whsec_[hidden]"}""")]
    [TestCase("""{\"s\":\"whsec_ab\\u002bcd=\"}""", """{\"s\":\"whsec_[hidden]\"}""")]
    [TestCase("Host=db;Password=abc;Database=x", "Host=db;Password=[hidden];Database=x")]
    [TestCase("nothing to hide", "nothing to hide")]
    public void A_credential_does_not_pass(string line, string expected) => Assert.That(Secrets.Hide(line), Is.EqualTo(expected));

    [Test]
    public void A_row_s_value_does_not_pass()
    {
        const string value = "words";
        using var table = new DataTable { Columns = { { "Number", typeof(string) } }, Rows = { value } };
        var thrown = Assert.Catch(() => table.CreateDataReader().Parse<Row>().ToList())!;
        Assert.That(thrown.ToString(), Does.Contain(value));

        Assert.That(LineOf(thrown), Does.Contain("It failed").And.Contain("Dapper").And.Not.Contain(value));
        Assert.That(LineOf(new AggregateException(new IOException(), thrown)), Does.Contain("IOException").And.Not.Contain(value));
        Assert.That(LineOf(new DataException(value, new IOException(""))), Does.Contain("It failed").And.Not.Contain(value));

        static string LineOf(Exception exception)
        {
            var line = new StringWriter();
            new JsonLines().Write(
                new LogEntry<string>(LogLevel.Error, "Test", default, "It failed", exception, (state, _) => state), null, line);
            return line.ToString();
        }
    }

    private sealed record Row
    {
        public int Number { get; init; }
    }
}
