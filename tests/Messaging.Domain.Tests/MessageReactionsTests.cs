using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Reactions;

namespace Messaging.Domain.Tests;

public sealed class MessageReactionsTests
{
    private static readonly ReactionPolicy Many = new(ReactionMode.Many, Allowed: null);

    [Test]
    public void What_is_there_already_moves_nothing()
    {
        var reactions = new MessageReactions([new("👍", 3, Mine: true)]);

        Assert.That(reactions.React(Many, "👍"), Is.Empty);
        Assert.That(reactions.Unreact("🎉"), Is.Empty);
    }

    [Test]
    public void The_counts_are_those_after_the_move()
    {
        var reactions = new MessageReactions([new("👍", 3, Mine: true), new("🎉", 2, Mine: false)]);

        Assert.That(reactions.React(Many, "🎉"), Is.EqualTo(new[] { new ReactionMove("🎉", true, 3) }));
        Assert.That(reactions.Unreact("👍"), Is.EqualTo(new[] { new ReactionMove("👍", false, 2) }));
        Assert.That(reactions.Unreact("🎉"), Is.Empty);
    }

    [Test]
    public void Where_one_is_allowed_all_others_go_first()
    {
        var reactions = new MessageReactions([new("👍", 1, Mine: true), new("🎉", 2, Mine: true), new("😀", 5, Mine: false)]);

        Assert.That(reactions.React(Many with { Mode = ReactionMode.One }, "😀"), Is.EqualTo(new[]
        {
            new ReactionMove("👍", false, 0), new ReactionMove("🎉", false, 1), new ReactionMove("😀", true, 6),
        }));
        Assert.That(reactions.React(Many with { Mode = ReactionMode.One }, "👍"), Is.EqualTo(new[] { new ReactionMove("🎉", false, 1) }));
    }

    [Test]
    public void What_the_policy_does_not_allow_is_refused()
    {
        var reactions = new MessageReactions([]);

        Assert.That(() => reactions.React(Many with { Mode = ReactionMode.None }, "👍"), Refused(ProblemCodes.NotAllowed));
        Assert.That(() => reactions.React(Many with { Allowed = ["🎉"] }, "👍"), Refused(ProblemCodes.NotAllowed));
        Assert.That(reactions.React(Many with { Allowed = ["🎉"] }, "🎉"), Has.Count.EqualTo(1));
    }

    [Test]
    public void A_full_message_takes_what_is_there_and_what_makes_room_for_itself()
    {
        var full = new MessageReactions([.. Enumerable.Range(0, 50).Select(i => new EmojiCount($":{i}:", 1, Mine: i == 0))]);

        Assert.That(() => full.React(Many, ":new:"), Refused(ProblemCodes.LimitReached));
        Assert.That(full.React(Many, ":1:"), Has.Count.EqualTo(1));
        Assert.That(full.React(Many with { Mode = ReactionMode.One }, ":new:"), Has.Count.EqualTo(2));
    }

    [Test]
    public void One_user_puts_so_many()
    {
        var mine = new MessageReactions([.. Enumerable.Range(0, 20).Select(i => new EmojiCount($":{i}:", 2, Mine: true)), new(":20:", 1, Mine: false)]);

        Assert.That(() => mine.React(Many, ":20:"), Refused(ProblemCodes.LimitReached));
    }

    private static NUnit.Framework.Constraints.EqualStringConstraint Refused(string code) =>
        Throws.TypeOf<RuleException>().With.Property("Problem").Property("Code").EqualTo(code);
}
