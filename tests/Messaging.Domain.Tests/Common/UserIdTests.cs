using Messaging.Domain.Common;

namespace Messaging.Domain.Tests.Common;

public sealed class UserIdTests
{
    [TestCase("42")]
    [TestCase("ada@example.org")]
    [TestCase("0195e2a0-7f1c-7000-8000-000000000001")]
    [TestCase("A_.:@-")]
    public void The_hosts_own_ids_serve(string value)
    {
        Assert.That(new UserId(value).Value, Is.EqualTo(value));
    }

    [TestCase("")]
    [TestCase("a b")]
    [TestCase("a\n")]
    [TestCase("ä")]
    [TestCase("a/b")]
    [TestCase("01234567890123456789012345678901234567890123456789012345678901234")]
    public void Anything_else_is_none(string value)
    {
        Assert.That(UserId.TryParse(value, null, out _), Is.False);
        Assert.That(() => new UserId(value), Throws.InstanceOf<FormatException>());
    }

    [Test]
    public void They_are_compared_byte_by_byte()
    {
        Assert.That(new UserId("B") < new UserId("a"), Is.True);
    }
}
