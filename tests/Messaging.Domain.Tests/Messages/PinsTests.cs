using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Domain.Tests.Messages;

public sealed class PinsTests
{
    private static readonly Pin Pin = new(new UserId("ada"), Instant.FromUtc(2026, 1, 1, 0, 0));

    [Test]
    public void A_message_pinned_twice_is_pinned_once()
    {
        var pins = new Pins();
        pins.Restore(1, Pin);

        Assert.That(pins.Put(1, new Pin(By: null, Instant.FromUtc(2026, 1, 2, 0, 0))), Is.False);
        Assert.That(pins.Of(1), Is.EqualTo(Pin));
    }

    [Test]
    public void A_pin_is_taken_away_once()
    {
        var pins = new Pins();
        pins.Put(1, Pin);

        Assert.That((pins.Take(1), pins.Take(1)), Is.EqualTo((true, false)));
        Assert.That(pins.Of(1), Is.Null);
    }

    [Test]
    public void A_conversation_has_so_many()
    {
        var pins = new Pins();
        for (var seq = 1; seq <= Pins.Limit; seq++)
            pins.Put(seq, Pin);

        Assert.That(
            () => pins.Put(Pins.Limit + 1, Pin),
            Throws.TypeOf<RuleException>().With.Property("Problem").Property("Code").EqualTo(ProblemCodes.LimitReached));
        pins.Take(1);
        Assert.That(pins.Put(Pins.Limit + 1, Pin), Is.True);
    }
}
