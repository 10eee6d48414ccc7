using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Messaging.Domain.Saved;
using NodaTime;

namespace Messaging.Application.Saved;

/// <summary>What people have saved for themselves.</summary>
public sealed class SavedPart(MessagePart found) : ChangePart
{
    // Who saves in several conversations at once is counted one after the other, under a lock of one's own that nothing else takes. The new
    // row's key wants the user's row to stay, and so nothing is waited for once all is decided. Index: pk_users.
    private const string LockSql =
        """
        SELECT u.id, pg_advisory_xact_lock(hashtextextended('messaging:saved:' || u.id, 0))
        FROM users u
        WHERE u.id = ANY($1::text[])
        FOR KEY SHARE
        """;

    private const string TryLockSql =
        """
        SELECT u.id, pg_try_advisory_xact_lock(hashtextextended('messaging:saved:' || u.id, 0))
        FROM users u
        WHERE u.id = ANY($1::text[])
        FOR KEY SHARE SKIP LOCKED
        """;

    // Under the locks. Those of deleted conversations go little by little and are not one's own any more; they are told apart only where
    // that matters. Index: ix_saved_messages_newest, those of the user alone; pk_purges.
    private const string CountSql =
        """
        SELECT k.id, CASE WHEN every.count < $2 THEN every.count ELSE (
            SELECT count(*)
            FROM saved_messages s
            WHERE s.user_id = k.id AND NOT EXISTS (SELECT FROM purges WHERE conversation_id = s.conversation_id)) END AS count
        FROM unnest($1::text[]) AS k (id)
        CROSS JOIN LATERAL (SELECT count(*) AS count FROM saved_messages s WHERE s.user_id = k.id) AS every
        """;

    // Under the locks. Index: as for messages; pk_saved_messages.
    private const string LoadSql =
        $"""
        SELECT s.conversation_id, s.user_id, s.seq, s.saved_at
        FROM {SoughtMessage.Places}
        JOIN saved_messages s ON s.conversation_id = k.conversation_id AND s.user_id = k.user_id AND s.seq = m.seq
        """;

    // Locked in the order of the key, as those of a message that is deleted for everyone. Index: pk_saved_messages.
    private const string RemoveSql =
        """
        WITH gone AS MATERIALIZED (
            SELECT s.conversation_id, s.user_id, s.seq
            FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[]) AS w (conversation_id, user_id, after, upto)
            JOIN saved_messages s ON s.conversation_id = w.conversation_id AND s.user_id = w.user_id AND s.seq > w.after AND s.seq <= w.upto
            ORDER BY s.conversation_id, s.user_id, s.seq
            FOR UPDATE OF s
        )
        DELETE FROM saved_messages s
        USING gone w
        WHERE s.conversation_id = w.conversation_id AND s.user_id = w.user_id AND s.seq = w.seq
        """;

    private const string AddSql =
        """
        INSERT INTO saved_messages (conversation_id, user_id, seq, sent_at, saved_at)
        SELECT w.conversation_id, w.user_id, w.seq, w.sent_at, w.saved_at
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[])
            AS w (conversation_id, user_id, seq, sent_at, saved_at)
        """;

    private readonly HashSet<SoughtMessage> asked = [];
    private readonly HashSet<UserId> countsAsked = [];
    private readonly HashSet<UserId> held = [];
    private readonly Dictionary<UserId, SavedMessages> people = [];
    private readonly Dictionary<(ConversationId Id, UserId User, long Seq), Instant> come = [];
    private readonly List<Seqs> taken = [];
    private readonly List<Seqs> forgotten = [];

    /// <summary>Asks whether somebody has saved a message.</summary>
    public void Require(SoughtMessage sought, UserId user)
    {
        found.Require(sought);
        asked.Add(sought);
        people.TryAdd(user, new SavedMessages());
    }

    /// <summary>Asks how many somebody has saved who is to save one more, and has it stay so many.</summary>
    public void RequireCount(UserId user) => countsAsked.Add(user);

    /// <summary>Whether somebody was to be counted who is saving elsewhere at this moment: it waits for that one alone.</summary>
    public bool IsBusy(UserId user) => countsAsked.Contains(user) && !held.Contains(user);

    /// <summary>Since when somebody has saved a message; null where that one has not.</summary>
    public Instant? Find(ConversationId id, UserId user, long seq) => people[user].Of(id, seq);

    /// <summary>Saves a message; false for one that is saved already. Refuses, as absent, what a change before took out of sight.</summary>
    public bool Put(ConversationId id, UserId user, StoredMessage message, Instant at)
    {
        if (forgotten.Exists(range => range.Holds(id, user, message.Seq)))
            throw CommonErrors.NotFound();
        if (!people[user].Put(id, message.Seq, at))
            return false;
        come[(id, user, message.Seq)] = message.CreatedAt;
        return true;
    }

    /// <summary>Saves a message no more; false for one that was not.</summary>
    public bool Take(ConversationId id, UserId user, long seq)
    {
        if (!people[user].Take(id, seq))
            return false;
        come.Remove((id, user, seq));
        taken.Add(new Seqs(id, user, seq - 1, seq));
        return true;
    }

    // Within a transaction, which cannot come again, it waits. One array of texts would be taken for the values themselves, and not for the
    // one.
    internal override void Lock(Round round, bool waits, Action<ConversationId> miss) => Columns.IfAny(countsAsked, users =>
    {
        object[] values = [Columns.Of(users, user => user.Value)];
        if (round.IsWithin)
            round.Read(LockSql, reader => held.Add(new(reader.GetString(0))), values);
        else
            round.Read(TryLockSql, reader => HoldIf(reader.GetBoolean(1), new(reader.GetString(0))), values);
    });

    internal override void Load(Round round)
    {
        Columns.IfAny(countsAsked, users => round.Read(
            CountSql, reader => people[new(reader.GetString(0))].RestoreCount((int)reader.GetInt64(1)),
            Columns.Of(users, user => user.Value), SavedMessages.Limit));
        Load(round, asked, SoughtMessage.Near);
    }

    internal override void LoadElsewhere(Round round) =>
        Load(round, found.Missing.Where(asked.Contains).ToHashSet(), SoughtMessage.Anywhere);

    internal override void Forget(ConversationId id, StoredMessage message) => Drop(key => key.Id == id && key.Seq == message.Seq);

    internal override void ForgetOwn(ConversationId id, UserId user, long after, long upto)
    {
        var range = new Seqs(id, user, after, upto);
        forgotten.Add(range);
        Drop(key => range.Holds(key.Id, key.User, key.Seq));
    }

    internal override void Write(Round round)
    {
        // One that was taken out and saved again is another one.
        Columns.IfAny([.. taken, .. forgotten], rows => round.Add(
            RemoveSql, Columns.Of(rows, row => row.Id.Value), Columns.Of(rows, row => row.User.Value), Columns.Of(rows, row => row.After),
            Columns.Of(rows, row => row.Upto)));
        Columns.IfAny(come, rows => round.Add(
            AddSql, Columns.Of(rows, row => row.Key.Id.Value), Columns.Of(rows, row => row.Key.User.Value),
            Columns.Of(rows, row => row.Key.Seq), Columns.Of(rows, row => row.Value.ToDateTimeUtc()),
            Columns.Of(rows, row => Find(row.Key.Id, row.Key.User, row.Key.Seq)!.Value.ToDateTimeUtc())));
    }

    // Of what changes of the same batch have saved.
    private void Drop(Func<(ConversationId Id, UserId User, long Seq), bool> goes)
    {
        foreach (var key in come.Keys.Where(goes).ToList())
        {
            come.Remove(key);
            people[key.User].Take(key.Id, key.Seq);
        }
    }

    private void HoldIf(bool isHeld, UserId user)
    {
        if (isHeld)
            held.Add(user);
    }

    private void Load(Round round, HashSet<SoughtMessage> sought, Func<IReadOnlyCollection<SoughtMessage>, object[]> where) =>
        Columns.IfAny(sought, rows => round.Read(
            LoadSql,
            reader => people[new(reader.GetString(1))].Restore(
                new(reader.GetGuid(0)), reader.GetInt64(2), Instant.FromDateTimeUtc(reader.GetDateTime(3))),
            where(rows)));

    private readonly record struct Seqs(ConversationId Id, UserId User, long After, long Upto)
    {
        public bool Holds(ConversationId id, UserId user, long seq) => id == Id && user == User && seq > After && seq <= Upto;
    }
}

public static class SavedOfChangeSet
{
    extension(ChangeSet set)
    {
        public SavedPart Saved => set.Part<SavedPart>();
    }
}
