using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>What is pinned in conversations.</summary>
public sealed class PinPart : ChangePart
{
    // Under the conversations' locks. Index: pk_pins, those of the conversations.
    private const string LoadSql =
        """
        SELECT conversation_id, seq, pinned_by, pinned_at
        FROM pins
        WHERE conversation_id = ANY($1::uuid[])
        """;

    private const string AddSql =
        """
        INSERT INTO pins (conversation_id, seq, sent_at, pinned_by, pinned_at)
        SELECT w.conversation_id, w.seq, w.sent_at, w.pinned_by, w.pinned_at
        FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::timestamptz[])
            AS w (conversation_id, seq, sent_at, pinned_by, pinned_at)
        """;

    private readonly Dictionary<ConversationId, Pins> pins = [];
    private readonly Dictionary<(ConversationId Id, long Seq), Instant> changed = [];
    private readonly HashSet<(ConversationId Id, long Seq)> stored = [];

    public void Require(ConversationId id) => pins.TryAdd(id, new Pins());

    /// <summary>Null for a message that is not pinned.</summary>
    public Pin? Find(ConversationId id, long seq) => pins[id].Of(seq);

    /// <summary>Pins a message; false for one that is pinned already.</summary>
    public bool Put(ConversationId id, StoredMessage message, Pin pin) => Leave(id, message, pins[id].Put(message.Seq, pin));

    /// <summary>Takes a message's pin away; false where it has none.</summary>
    public bool Take(ConversationId id, StoredMessage message) => Leave(id, message, pins[id].Take(message.Seq));

    internal override void Load(Round round)
    {
        if (pins.Count == 0)
            return;
        round.Read(
            LoadSql,
            reader =>
            {
                var (id, seq) = (new ConversationId(reader.GetGuid(0)), reader.GetInt64(1));
                pins[id].Restore(
                    seq, new Pin(
                        reader.IsDBNull(2) ? null : new UserId(reader.GetString(2)), Instant.FromDateTimeUtc(reader.GetDateTime(3))));
                stored.Add((id, seq));
            },
            Columns.Of(pins.Keys, id => id.Value));
    }

    internal override void Forget(ConversationId id, StoredMessage message)
    {
        pins.GetValueOrDefault(id)?.Take(message.Seq);
        changed.Remove((id, message.Seq));
    }

    internal override void Write(Round round)
    {
        // One that was taken away and put again is another one.
        var gone = changed.Keys.Where(stored.Contains).ToList();
        if (gone.Count > 0)
            round.Add(PinDetail.RemoveSql, Columns.Of(gone, key => key.Id.Value), Columns.Of(gone, key => key.Seq));
        var come = changed.Where(row => Find(row.Key.Id, row.Key.Seq) is not null)
            .Select(row => (row.Key, SentAt: row.Value, Pin: Find(row.Key.Id, row.Key.Seq)!.Value)).ToList();
        if (come.Count > 0)
        {
            round.Add(
                AddSql, Columns.Of(come, row => row.Key.Id.Value), Columns.Of(come, row => row.Key.Seq),
                Columns.Of(come, row => row.SentAt.ToDateTimeUtc()), Columns.Of(come, row => row.Pin.By?.Value),
                Columns.Of(come, row => row.Pin.At.ToDateTimeUtc()));
        }
    }

    private bool Leave(ConversationId id, StoredMessage message, bool moved)
    {
        if (moved)
            changed[(id, message.Seq)] = message.CreatedAt;
        return moved;
    }
}

public static class PinsOfChangeSet
{
    extension(ChangeSet set)
    {
        public PinPart Pins => set.Part<PinPart>();
    }
}
