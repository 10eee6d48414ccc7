using Messaging.Application.Search;
using Messaging.Testing;

namespace Messaging.Application.Tests.Search;

public sealed class RestsTests
{
    private readonly ManualTime time = new();
    private readonly Cooldowns rests;

    public RestsTests() => rests = new Cooldowns(TimeSpan.FromSeconds(10), most: 3, time);

    [SetUp]
    public void Pass() => time.Advance(TimeSpan.FromSeconds(10));

    [Test]
    public void A_rest_ends_when_its_time_has_passed_and_not_later_for_being_asked_for_again()
    {
        rests.Begin("ada");
        time.Advance(TimeSpan.FromSeconds(6));
        rests.Begin("ada");

        Assert.That((rests.Left("ada"), rests.Left("bob")), Is.EqualTo((TimeSpan.FromSeconds(4), TimeSpan.Zero)));
        time.Advance(TimeSpan.FromSeconds(4));
        Assert.That(rests.Left("ada"), Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void Beyond_so_many_those_who_began_first_are_forgotten()
    {
        foreach (var who in new[] { "ada", "bob", "carl", "dan" })
        {
            rests.Begin(who);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That(new[] { "ada", "bob", "carl", "dan" }.Select(who => rests.Left(who).TotalSeconds), Is.EqualTo(new[] { 0.0, 7, 8, 9 }));
    }

    [Test]
    public void Who_rests_again_is_not_forgotten_for_the_first_time()
    {
        rests.Begin("ada");
        time.Advance(TimeSpan.FromSeconds(10));
        foreach (var who in new[] { "bob", "ada", "carl", "dan" })
            rests.Begin(who);

        Assert.That(
            new[] { "bob", "ada", "carl", "dan" }.Select(who => rests.Left(who).TotalSeconds), Is.EqualTo(new[] { 0.0, 10, 10, 10 }));
    }
}
