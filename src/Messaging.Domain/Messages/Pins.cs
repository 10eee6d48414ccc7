using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Domain.Messages;

/// <summary>Who has pinned a message, and when.</summary>
/// <param name="By">Null for the service.</param>
public readonly record struct Pin(UserId? By, Instant At);

/// <summary>The messages that are pinned in a conversation, by their seqs: few, whatever its length.</summary>
public sealed class Pins
{
    /// <summary>Pinned messages of one conversation.</summary>
    public const int Limit = 100;

    private readonly Dictionary<long, Pin> pins = [];

    /// <summary>A pin as it stands in the database.</summary>
    public void Restore(long seq, Pin pin) => pins[seq] = pin;

    /// <summary>Null for a message that is not pinned.</summary>
    public Pin? Of(long seq) => pins.TryGetValue(seq, out var pin) ? pin : null;

    /// <summary>Pins a message; false for one that is pinned already, which stays as it is.</summary>
    public bool Put(long seq, Pin pin)
    {
        if (pins.ContainsKey(seq))
            return false;
        if (pins.Count >= Limit)
            throw MessageErrors.TooManyPins(Limit);
        pins.Add(seq, pin);
        return true;
    }

    /// <summary>Takes a pin away; false where there is none.</summary>
    public bool Take(long seq) => pins.Remove(seq);
}
