using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Reactions;
using NodaTime;

namespace Messaging.Domain.Tests.Reactions;

public sealed class MessageReactionsTests
{
    private static readonly ReactionPolicy Many = new(ReactionMode.Many, Allowed: null);
    private static readonly ReactionPolicy One = Many with { Mode = ReactionMode.One };
    private static readonly Instant Then = Instant.FromUtc(2026, 1, 1, 0, 0);
    private static readonly Instant Now = Instant.FromUtc(2026, 1, 2, 0, 0);
    private static readonly UserId Ada = new("ada");

    [Test]
    public void Putting_a_reaction_that_is_there_or_taking_one_that_is_not_changes_nothing()
    {
        var reactions = Of(("👍", 3, true));

        Assert.That(React(reactions, Many, "👍"), Is.Empty);
        Assert.That(reactions.Unreact(Ada, "🎉"), Is.Empty);
        Assert.That((reactions.Come, reactions.Gone, reactions.ChangedGroups, reactions.GoneGroups), Is.EqualTo(
            (Array.Empty<KeyValuePair<Reaction, Instant>>(), Array.Empty<Reaction>(), Array.Empty<ReactionGroup>(),
                Array.Empty<string>())));
    }

    [Test]
    public void The_counts_are_those_after_the_move()
    {
        var reactions = Of(("👍", 3, true), ("🎉", 2, false));

        Assert.That(React(reactions, Many, "🎉"), Is.EqualTo(new[] { new ReactionMove("🎉", true, 3) }));
        Assert.That(reactions.Unreact(Ada, "👍"), Is.EqualTo(new[] { new ReactionMove("👍", false, 2) }));
        Assert.That(reactions.Unreact(Ada, "🎉"), Is.EqualTo(new[] { new ReactionMove("🎉", false, 2) }));
        Assert.That(reactions.Unreact(Ada, "🎉"), Is.Empty);
    }

    [Test]
    public void Where_one_is_allowed_all_others_go_first()
    {
        (string, int, bool)[] there = [("👍", 1, true), ("🎉", 2, true), ("😀", 5, false)];

        Assert.That(React(Of(there), One, "😀"), Is.EqualTo(new[]
        {
            new ReactionMove("👍", false, 0), new ReactionMove("🎉", false, 1), new ReactionMove("😀", true, 6),
        }));
        Assert.That(React(Of(there), One, "👍"), Is.EqualTo(new[] { new ReactionMove("🎉", false, 1) }));
    }

    [Test]
    public void An_emoji_that_the_policy_does_not_allow_is_refused()
    {
        var reactions = Of();

        Assert.That(() => React(reactions, Many with { Mode = ReactionMode.None }, "👍"), Refused(ProblemCodes.NotAllowed));
        Assert.That(() => React(reactions, Many with { Allowed = ["🎉"] }, "👍"), Refused(ProblemCodes.NotAllowed));
        Assert.That(React(reactions, Many with { Allowed = ["🎉"] }, "🎉"), Has.Count.EqualTo(1));
    }

    [Test]
    public void A_full_message_takes_what_is_there_and_what_makes_room_for_itself()
    {
        (string, int, bool)[] full = [.. Enumerable.Range(0, 50).Select(i => ($":{i}:", 1, i == 0))];

        Assert.That(() => React(Of(full), Many, ":new:"), Refused(ProblemCodes.LimitReached));
        Assert.That(React(Of(full), Many, ":1:"), Has.Count.EqualTo(1));
        Assert.That(React(Of(full), One, ":new:"), Has.Count.EqualTo(2));
    }

    [Test]
    public void One_user_puts_so_many()
    {
        var mine = Of([.. Enumerable.Range(0, 20).Select(i => ($":{i}:", 2, true)), (":20:", 1, false)]);

        Assert.That(() => React(mine, Many, ":20:"), Refused(ProblemCodes.LimitReached));
        Assert.That(mine.ChangedGroups, Is.Empty);
    }

    [Test]
    public void One_of_the_first_who_goes_makes_room_for_the_next()
    {
        var reactions = new MessageReactions();
        reactions.Restore(new ReactionGroup("👍", 20, [.. Users(10)], Then));
        reactions.Restore(new ReactionGroup("👍", 20, [.. Users(20)], Then));
        foreach (var user in Users(5))
            reactions.Restore(new Reaction(user, "👍"), Then);

        foreach (var user in Users(5))
            reactions.Unreact(user, "👍");

        Assert.That(reactions.ChangedGroups.Single().Count, Is.EqualTo(15));
        Assert.That(reactions.ChangedGroups.Single().First, Is.EqualTo(Users(20).Skip(5)));
    }

    [Test]
    public void Who_comes_last_of_many_is_not_among_the_first()
    {
        var reactions = new MessageReactions();
        reactions.Restore(new ReactionGroup("👍", 20, [.. Users(10)], Then));

        React(reactions, Many, "👍");

        Assert.That(reactions.ChangedGroups.Single().First, Is.EqualTo(Users(10)));
    }

    [Test]
    public void A_reaction_put_and_taken_away_leaves_nothing_to_write()
    {
        var reactions = Of();

        React(reactions, Many, "👍");
        reactions.Unreact(Ada, "👍");

        Assert.That(reactions.Come, Is.Empty);
        Assert.That(reactions.Gone, Is.Empty);
        Assert.That(reactions.GoneGroups, Is.Empty);
        Assert.That(reactions.ChangedGroups, Is.Empty);
    }

    [Test]
    public void A_reaction_taken_away_and_put_again_is_a_new_one()
    {
        var reactions = Of(("👍", 1, true));

        reactions.Unreact(Ada, "👍");
        React(reactions, Many, "👍");

        Assert.That(reactions.Gone, Is.EqualTo(new[] { new Reaction(Ada, "👍") }));
        Assert.That(reactions.Come.Single().Value, Is.EqualTo(Now));
        Assert.That(reactions.ChangedGroups.Single().FirstAt, Is.EqualTo(Now));
    }

    private static MessageReactions Of(params (string Emoji, int Count, bool Mine)[] there)
    {
        var reactions = new MessageReactions();
        foreach (var (emoji, count, mine) in there)
        {
            reactions.Restore(new ReactionGroup(emoji, count, [.. mine ? Users(count - 1).Append(Ada) : Users(count)], Then));
            if (mine)
                reactions.Restore(new Reaction(Ada, emoji), Then);
        }
        return reactions;
    }

    private static IEnumerable<UserId> Users(int count) => Enumerable.Range(0, count).Select(i => new UserId($"user-{i}"));

    private static IReadOnlyList<ReactionMove> React(MessageReactions reactions, ReactionPolicy policy, string emoji) =>
        reactions.React(policy, Ada, emoji, Now);

    private static NUnit.Framework.Constraints.EqualStringConstraint Refused(string code) =>
        Throws.TypeOf<RuleException>().With.Property("Problem").Property("Code").EqualTo(code);
}
