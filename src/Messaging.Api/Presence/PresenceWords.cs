namespace Messaging.Api.Presence;

/// <summary>What nodes tell each other about presence.</summary>
public static class PresenceWords
{
    /// <summary>The event that clients hear.</summary>
    public const string Changed = "presence:changed";

    public const string ChangeTopic = "presence";
    public const string BeatTopic = "presence-beat";
    public const string SomeTopic = "presence-some";
    public const string AskTopic = "presence-ask";
    public const string GoodbyeTopic = "presence-goodbye";

    /// <summary>People in one message: fits the bus with the longest ids.</summary>
    public const int PartSize = 60;

    private const ulong FnvBasis = 14695981039346656037;
    private const ulong FnvPrime = 1099511628211;

    /// <summary>A number of people and a hash of who they are, whatever their order.</summary>
    public static Beat Digest(IEnumerable<KeyValuePair<string, bool>> people)
    {
        var (count, sum) = (0, 0UL);
        foreach (var (user, isAway) in people)
        {
            var hash = isAway ? FnvBasis : ~FnvBasis;
            foreach (var c in user)
                hash = unchecked((hash ^ c) * FnvPrime);
            sum = unchecked(sum + hash);
            count++;
        }
        return new Beat(count, sum);
    }

    /// <summary>Somebody came to the node, went away there, or is there no more (null).</summary>
    public sealed record Change(string User, bool? Away);

    public sealed record Beat(int Count, ulong Hash);

    /// <summary>A part of all people of the node.</summary>
    public sealed record Some(int Part, int Parts, IReadOnlyList<Change> People);

    /// <summary>Asks a node for all its people, or every node.</summary>
    public sealed record Ask(string? Node);

    public sealed record Goodbye;
}
