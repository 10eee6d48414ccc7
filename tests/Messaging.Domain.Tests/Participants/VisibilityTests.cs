using Messaging.Domain.Participants;

namespace Messaging.Domain.Tests.Participants;

public sealed class VisibilityTests
{
    [TestCase(3, false, false)]
    [TestCase(4, false, true)]
    [TestCase(4, true, false)]
    public void A_cleared_or_hidden_message_is_not_shown(long seq, bool isHidden, bool shown)
    {
        Assert.That(new Visibility(3).Shows(seq, isHidden), Is.EqualTo(shown));
    }
}
