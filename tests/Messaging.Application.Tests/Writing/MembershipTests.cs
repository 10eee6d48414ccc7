using System.Reflection;
using Messaging.Application.Participants;

namespace Messaging.Application.Tests.Writing;

public sealed class MembershipTests : SliceFixture
{
    private static readonly string LoadSql = (string)typeof(MembershipPart)
        .GetField("LoadSql", BindingFlags.NonPublic | BindingFlags.Static)!.GetRawConstantValue()!;

    [TestCase(true, false)]
    [TestCase(false, true)]
    public async Task Unread_messages_are_counted_only_for_the_sender(bool sends, bool isLeftOut)
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var group = await Slices.GroupAsync(ada, bob);
        await Slices.TextAsync(ada, group);

        var plan = string.Join('\n', await Slices.SqlAsync(session => session.QueryAsync<string>(
            "EXPLAIN (ANALYZE, TIMING OFF) " + LoadSql
                .Replace("$1", "@Ids", StringComparison.Ordinal).Replace("$2", "@Users", StringComparison.Ordinal)
                .Replace("$3", "@Sends", StringComparison.Ordinal).Replace("$4", "@Own", StringComparison.Ordinal),
            new { Ids = new[] { group.Value }, Users = new[] { bob.Value }, Sends = new[] { sends }, Own = new[] { false } },
            CancellationToken.None)));

        // The first of the gaps, those of everybody; those of oneself are asked for only of who has some.
        Assert.That(plan, Does.Contain("on message_gaps g "));
        Assert.That(
            plan, isLeftOut ? Does.Match("on message_gaps g .*never executed") : Does.Not.Match("on message_gaps g .*never executed"));
    }
}
