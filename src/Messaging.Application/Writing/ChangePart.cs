namespace Messaging.Application.Writing;

/// <summary>What changes ask for, decide on and leave behind of the tables of one module. Puts no statement into a round trip for which nobody asks.</summary>
public abstract class ChangePart
{
    /// <summary>Adds what reads, under the locks, what was asked for.</summary>
    internal virtual void Load(Round round)
    {
    }

    /// <summary>Adds what reads what the first round trip did not find, where something may be elsewhere.</summary>
    internal virtual void LoadElsewhere(Round round)
    {
    }

    /// <summary>Adds what writes what was decided.</summary>
    internal virtual void Write(Round round)
    {
    }
}
