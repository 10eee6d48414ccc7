using Messaging.Infrastructure.Bus;

namespace Messaging.Api.Tests.Bus;

public sealed class BusSettingsTests
{
    [TestCase(null, null)]
    [TestCase("amqp://messaging:secret@broker/", null)]
    [TestCase("amqps://broker:5671/vhost", null)]
    [TestCase(null, "redis://:secret@cache:6379")]
    [TestCase(null, "cache:6379,password=secret,ssl=true")]
    public void Whatever_can_be_reached_is_accepted(string? rabbitMq, string? redis) =>
        Assert.That(new BusSettings { RabbitMq = rabbitMq, Redis = redis }.Errors(), Is.Empty);

    [TestCase("http://messaging:secret@broker", null, "RabbitMq: an address such as")]
    [TestCase("broker-secret", null, "RabbitMq: an address such as")]
    [TestCase(null, "amqp://:secret@cache", "Redis: an address such as")]
    [TestCase(null, "cache,secret=1", "Redis: an address such as")]
    [TestCase("amqp://broker", "redis://:secret@cache", "Redis: is set beside RabbitMq; set one of the two.")]
    public void Anything_else_is_named_and_told_nowhere(string? rabbitMq, string? redis, string begin)
    {
        var error = new BusSettings { RabbitMq = rabbitMq, Redis = redis }.Errors().Single();

        Assert.That(error, Does.StartWith(begin).And.Not.Contain("secret"));
    }

    [Test]
    public void Special_letters_of_a_password_are_written_as_in_any_address() =>
        Assert.That(new BusSettings { Redis = "rediss://anna:p%40ss@cache" }.RedisOptions(), Is.Not.Null
            .And.Property("User").EqualTo("anna").And.Property("Password").EqualTo("p@ss").And.Property("Ssl").True);
}
