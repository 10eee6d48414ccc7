using System.Collections.Concurrent;

namespace Messaging.Benchmarks.Measures;

/// <summary>A message that the service said it has stored.</summary>
readonly record struct Acknowledgement(Guid Conversation, string Key, long Seq, Guid Id);

/// <summary>Every message that the service said it has stored, for the checks at the end.</summary>
sealed class Acknowledged
{
    readonly ConcurrentBag<List<Acknowledgement>> logs = [];

    /// <summary>Begins the names that this run gives its messages.</summary>
    public string Prefix { get; } = $"b{DateTimeOffset.UtcNow.ToUnixTimeSeconds():x}-";

    public DateTime Since { get; } = DateTime.UtcNow;

    public IEnumerable<Acknowledgement> All => logs.SelectMany(log => log);

    /// <summary>A log of one client's own, so that no lock is needed to write it.</summary>
    public List<Acknowledgement> NewLog()
    {
        var log = new List<Acknowledgement>();
        logs.Add(log);
        return log;
    }
}
