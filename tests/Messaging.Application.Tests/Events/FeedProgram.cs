using CsCheck;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;

namespace Messaging.Application.Tests.Events;

/// <summary>
/// A reader's conversations and a feed in which events of these, the reader's own ones and those of others follow each other, on days that
/// need not rise with the positions and with positions left out; and the rule of what is told of it, written down a second time.
/// </summary>
sealed record FeedProgram(FeedProgram.Place[] Places, FeedProgram.Entry[] Entries, int Limit, int[] Starts)
{
    const string PlacesSql =
        """
        INSERT INTO users (id, created_at, updated_at) VALUES (@Reader, now(), now());
        INSERT INTO conversations (id, type, participant_count, created_at, updated_at, last_event_at, last_activity_at)
        SELECT id, 'group', 0, now(), now(), now(), now() FROM unnest(@Ids) AS id;
        INSERT INTO participants
            (conversation_id, user_id, role, joined_at, pending, left_at, cleared_seq, joined_seq, has_gaps)
        SELECT id, @Reader, 'member', now(), pending, CASE WHEN has_left THEN now() END, cleared_seq, joined_seq, has_gaps
        FROM unnest(@Ids, @Pending, @HasLeft, @Cleared, @Joined, @HasGaps)
            AS p (id, pending, has_left, cleared_seq, joined_seq, has_gaps);
        INSERT INTO message_hidden (conversation_id, user_id, seq)
        SELECT conversation_id, user_id, 4 FROM participants WHERE user_id = @Reader AND has_gaps;
        SELECT create_feed_partition(current_date + ago) FROM generate_series(-3, 1) AS ago
        """;

    const string EntriesSql =
        """
        INSERT INTO feed (position, occurred_at, conversation_id, seq, user_id, type, payload)
        SELECT position, date_trunc('day', now()) + make_interval(days => day), conversation_id, seq, user_id, type, '{}'
        FROM unnest(@Positions, @Days, @Conversations, @Seqs, @Users, @Types) AS e (position, day, conversation_id, seq, user_id, type);
        UPDATE feed_state SET last_position = @Last
        """;

    static readonly string[] Types =
        ["test:event", MessageSent.Name, MessageEdited.Name, ConversationCreated.Name, ParticipantRemoved.Name, SettingsUpdated.Name];

    /// <summary>Where the reader takes part, or did.</summary>
    internal sealed record Place(bool IsPending, bool HasLeft, int Cleared, int Joined, bool HasGaps);

    /// <summary>An event of one of the places, or of another conversation if there is no such place.</summary>
    /// <param name="Gap">How many positions are left out before it.</param>
    internal sealed record Entry(int Place, int Gap, int Day, int? Seq, bool IsOwn, bool IsOfNone, int Type);

    static readonly Gen<Place> AnyPlace = Gen.Select(
        Gen.Int[0, 9], Gen.Int[0, 9], Gen.Int[0, 5], Gen.Int[0, 2], Gen.Bool,
        (pending, left, cleared, joined, gaps) => new Place(pending == 0, left == 0, cleared, joined, gaps));

    // Some conversations have most of the events.
    static readonly Gen<Entry> AnyEntry = Gen.Select(
        Gen.Frequency((3, Gen.Int[0, 1]), (2, Gen.Int[0, 12])), Gen.Frequency((9, Gen.Const(0)), (1, Gen.Int[1, 30_000])), Gen.Int[-3, 1],
        Gen.Int[0, 8], Gen.Int[0, 5], Gen.Int[0, Types.Length - 1],
        (place, gap, day, seq, own, type) => new Entry(place, gap, day, seq == 0 ? null : seq, own < 2, own == 0, type));

    public static Gen<FeedProgram> Programs { get; } = Gen.Select(
        AnyPlace.Array[0, 10], AnyEntry.Array[0, 150], Gen.OneOf(Gen.Int[1, 5], Gen.Int[1, 100]), Gen.Int[0, 149].Array[2],
        (places, entries, limit, starts) => new FeedProgram(places, entries, limit, starts));

    Place? PlaceOf(Entry entry) => entry.Place < Places.Length ? Places[entry.Place] : null;

    long[] Positions => [.. Entries.Select((entry, i) => Entries.Take(i + 1).Sum(one => 1L + one.Gap))];

    /// <summary>The beginning, and some positions within.</summary>
    public IEnumerable<long> Cursors => [0, .. Starts.Where(start => start < Entries.Length).Select(start => Positions[start])];

    public async Task WriteAsync(FeedDatabase feed, UserId reader, long before)
    {
        var (ids, others) = (Places.Select(_ => Guid.CreateVersion7()).ToArray(), Guid.CreateVersion7());
        await feed.Slices.ExecuteAsync(
            PlacesSql,
            new
            {
                Reader = reader.Value,
                Ids = ids,
                Pending = Places.Select(place => place.IsPending).ToArray(),
                HasLeft = Places.Select(place => place.HasLeft).ToArray(),
                Cleared = Places.Select(place => (long)place.Cleared).ToArray(),
                Joined = Places.Select(place => (long)place.Joined).ToArray(),
                HasGaps = Places.Select(place => place.HasGaps).ToArray(),
            });
        await feed.Slices.ExecuteAsync(
            EntriesSql,
            new
            {
                Positions = Positions.Select(position => before + position).ToArray(),
                Days = Entries.Select(entry => entry.Day).ToArray(),
                Conversations = Entries.Select(
                    entry => entry.IsOfNone ? (Guid?)null : entry.Place < ids.Length ? ids[entry.Place] : others).ToArray(),
                Seqs = Entries.Select(entry => (long?)entry.Seq).ToArray(),
                Users = Entries.Select(entry => entry.IsOwn ? reader.Value : null).ToArray(),
                Types = Entries.Select(entry => Types[entry.Type]).ToArray(),
                Last = before + Positions.DefaultIfEmpty(0).Last(),
            });
    }

    /// <summary>The positions of what the reader is told of after one of them.</summary>
    public IEnumerable<long> ToldAfter(long after) =>
        Positions.Zip(Entries).Where(one => one.First > after && IsTold(one.Second)).Select(one => one.First);

    bool IsTold(Entry entry)
    {
        var (place, type) = (PlaceOf(entry), Types[entry.Type]);
        if (entry.IsOwn)
        {
            return entry.IsOfNone || type == ParticipantRemoved.Name
                || (place is { HasLeft: false } && (!place.IsPending || type == SettingsUpdated.Name));
        }
        return place is { HasLeft: false, IsPending: false }
            && (type != ConversationCreated.Name || place.Joined == 0)
            && (entry.Seq is not { } seq || (seq > place.Cleared && (type == MessageSent.Name || !place.HasGaps || seq != 4)));
    }
}
