using Messaging.Domain.Common;
using Messaging.Domain.Saved;
using NodaTime;

namespace Messaging.Domain.Tests.Saved;

public sealed class SavedMessagesTests
{
    private static readonly ConversationId Id = new(Guid.NewGuid());
    private static readonly Instant At = Instant.FromUtc(2026, 1, 1, 0, 0);

    [Test]
    public void A_message_saved_twice_is_saved_once()
    {
        var saved = new SavedMessages();
        saved.Restore(Id, 1, At);

        Assert.That(saved.Save(Id, 1, At + Duration.FromDays(1)), Is.False);
        Assert.That(saved.Find(Id, 1), Is.EqualTo(At));
    }

    [Test]
    public void A_saved_message_is_taken_out_once()
    {
        var saved = new SavedMessages();
        saved.Save(Id, 1, At);

        Assert.That((saved.Unsave(Id, 1), saved.Unsave(Id, 1)), Is.EqualTo((true, false)));
        Assert.That((saved.Find(Id, 1), saved.Count), Is.EqualTo(((Instant?)null, 0)));
    }

    [Test]
    public void Of_two_conversations_the_same_seq_is_two_messages()
    {
        var saved = new SavedMessages();
        saved.Save(Id, 1, At);

        Assert.That(saved.Save(new ConversationId(Guid.NewGuid()), 1, At), Is.True);
    }

    [Test]
    public void One_saves_so_many_and_one_more_once_one_is_taken_out()
    {
        var saved = new SavedMessages();
        saved.RestoreCount(SavedMessages.Limit - 1);
        saved.Save(Id, 1, At);

        var refused = Assert.Throws<RuleException>(() => saved.Save(Id, 2, At));
        Assert.That(refused.Problem.Code, Is.EqualTo(ProblemCodes.LimitReached));
        Assert.That(refused.Problem.Detail, Does.Contain("10,000"));
        saved.Unsave(Id, 1);
        Assert.That(saved.Save(Id, 2, At), Is.True);
    }
}
