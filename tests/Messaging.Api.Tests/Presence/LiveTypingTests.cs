using Messaging.Api.Realtime;
using Messaging.Application.Bus;
using Messaging.Application.Revocations;
using Messaging.Infrastructure.Presence;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Messaging.Api.Tests.Presence;

/// <summary>What a node keeps of what it hears from others.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class LiveTypingTests : IDisposable
{
    private readonly ManualTime time = new();
    private readonly Network network = new();
    private readonly ServiceProvider services = new ServiceCollection().BuildServiceProvider();
    private readonly LiveTyping typing;
    private readonly IBus other;

    public LiveTypingTests()
    {
        var members = new MemberCache(services.GetRequiredService<IServiceScopeFactory>(), time);
        typing = new LiveTyping(new LiveConnections(new RevocationList(time)), members, network.Join("here"), time, SystemClock.Instance);
        other = network.Join("other");
    }

    [Test]
    public void Typing_lasts_five_seconds_and_is_prolonged_by_repeating()
    {
        var id = Guid.CreateVersion7();
        Say(id, "ada", true);
        Say(id, "bob", true);
        Pass(4);
        Say(id, "ada", true);
        Pass(4);
        Assert.That(typing.Count, Is.EqualTo(1));
        Pass(1);

        Assert.That(typing.Count, Is.Zero);
    }

    [Test]
    public void An_end_without_a_beginning_changes_nothing()
    {
        var id = Guid.CreateVersion7();
        Say(id, "ada", false);
        Say(id, "ada", true);
        Say(id, "ada", false);
        Say(id, "ada", false);

        Assert.That(typing.Count, Is.Zero);
    }

    [Test]
    public void Memory_is_bounded_whoever_types()
    {
        for (var i = 0; i < LiveTyping.MaxTypists + 1000; i++)
            Say(Guid.CreateVersion7(), "ada", true);
        Assert.That(typing.Count, Is.EqualTo(LiveTyping.MaxTypists));

        Pass(5);

        Assert.That(typing.Count, Is.Zero);
    }

    [Test]
    public void Who_has_stopped_is_remembered_within_the_same_bound_until_it_may_be_told_again()
    {
        for (var i = 0; i < LiveTyping.MaxTypists; i++)
        {
            var id = Guid.CreateVersion7();
            Say(id, "ada", true);
            Say(id, "ada", false);
        }
        Say(Guid.CreateVersion7(), "ada", true);
        Assert.That(typing.Count, Is.Zero);

        Pass(2);
        Say(Guid.CreateVersion7(), "ada", true);

        Assert.That(typing.Count, Is.EqualTo(1));
    }

    public void Dispose() => services.Dispose();

    private void Say(Guid conversationId, string userId, bool active)
    {
        other.Publish(LiveTyping.Topic, new { conversationId, userId, active });
        network.Deliver();
    }

    private void Pass(int seconds)
    {
        time.Advance(TimeSpan.FromSeconds(seconds));
        typing.Sweep();
    }
}
