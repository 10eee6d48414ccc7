using Messaging.Domain.Attachments;
using Messaging.Domain.Common;

namespace Messaging.Domain.Tests.Attachments;

public sealed class UploadsTests
{
    [Test]
    public void The_rest_of_a_days_bytes_may_be_uploaded_and_no_byte_more()
    {
        var room = new Uploads(Bytes: 60, Unnamed: 0, ResetSeconds: 7).Within(bytesPerDay: 100, unnamedFiles: 1);

        Assert.That(() => room.EnsureFits(40), Throws.Nothing);
        var refused = Assert.Throws<RuleException>(() => room.EnsureFits(41));
        Assert.That((refused.Problem.Code, refused.Problem.RetryAfterSeconds), Is.EqualTo((ProblemCodes.RateLimited, 7)));
    }

    [TestCase(100, true)]
    [TestCase(101, false)]
    public void Bytes_already_counted_may_fill_the_days_quota_exactly(long bytes, bool fits)
    {
        var room = new Uploads(bytes, Unnamed: 0, ResetSeconds: 7).Within(bytesPerDay: 100, unnamedFiles: 1);

        Assert.That(() => room.EnsureFits(0), fits ? Throws.Nothing : Throws.TypeOf<RuleException>());
    }

    [Test]
    public void Files_that_no_message_names_are_few()
    {
        var refused = Assert.Throws<RuleException>(() => new Uploads(0, Unnamed: 3, 7).Within(bytesPerDay: 100, unnamedFiles: 3));

        Assert.That(refused.Problem.Code, Is.EqualTo(ProblemCodes.LimitReached));
        Assert.That(new Uploads(0, Unnamed: 2, 7).Within(bytesPerDay: 100, unnamedFiles: 3).Left, Is.EqualTo(100));
    }
}
