using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Notifications;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Infrastructure.Notifications;

/// <summary>
/// The messages of a page of the feed of which somebody may be notified: new ones, and those that an edit made mention more.
/// </summary>
internal sealed class MessagesToNotify
{
    private readonly Dictionary<(Guid Id, long Seq), Asked> asked = [];

    private MessagesToNotify(IEnumerable<FeedRow> rows)
    {
        foreach (var row in rows)
        {
            var values = row.Values<MessageValues>();
            var key = (row.ConversationId!.Value, row.Seq!.Value);
            if (row.Type == MessageSent.Name && !values.Silent)
                asked[key] = new Asked(row.OccurredAt, Mentioned: null);
            if (row.Type == MessageEdited.Name && values.Mentioned is { Count: > 0 } mentioned)
            {
                // One that is new, too, has all its mentions when it is read.
                var before = asked.TryGetValue(key, out var known) ? known : new Asked(values.CreatedAt!.Value, []);
                asked[key] = before with { Mentioned = before.Mentioned?.Union(mentioned.Select(user => user.Value)).ToHashSet() };
            }
        }
    }

    public bool IsEmpty => asked.Count == 0;

    public Guid[] Conversations => [.. asked.Keys.Select(key => key.Id)];

    public long[] Seqs => [.. asked.Keys.Select(key => key.Seq)];

    public DateTime[] Times => [.. asked.Values.Select(one => one.At.ToDateTimeUtc())];

    public static MessagesToNotify Of(IEnumerable<FeedRow> rows) =>
        new(rows.Where(row => row.Type is MessageSent.Name or MessageEdited.Name));

    /// <summary>A message as it is by now.</summary>
    public NotifyingMessage As(Guid conversation, long seq, Guid id, string? sender, string[] mentions)
    {
        var (at, added) = asked[(conversation, seq)];
        return new NotifyingMessage(conversation, seq, at, id, sender)
        {
            Mentioned = added is null ? mentions : [.. mentions.Where(added.Contains)],
            IsEdited = added is not null,
        };
    }

    // Whom an edit mentions that was not mentioned before; null for a new message.
    private sealed record Asked(Instant At, HashSet<string>? Mentioned);
}
