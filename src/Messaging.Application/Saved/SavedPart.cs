using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Messaging.Domain.Saved;
using NodaTime;

namespace Messaging.Application.Saved;

/// <summary>Users' saved messages.</summary>
public sealed class SavedPart(MessagePart messages) : ChangePart
{
    // Saves of one user in several conversations at once are counted one after the other, under an advisory lock that nothing else takes.
    // FOR KEY SHARE is what the new row's foreign key needs, so writing waits for nothing after the decision. Index: pk_users.
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

    // Under the locks. Rows of deleted conversations are removed little by little and do not count; they are only looked for if the limit
    // seems to be reached. Index: ix_saved_messages_newest, those of the user; pk_purges.
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

    // Locked in the order of the key, as when a message is deleted for everyone. Index: pk_saved_messages.
    private const string RemoveSql =
        """
        WITH doomed AS MATERIALIZED (
            SELECT s.conversation_id, s.user_id, s.seq
            FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[]) AS w (conversation_id, user_id, after, upto)
            JOIN saved_messages s ON s.conversation_id = w.conversation_id AND s.user_id = w.user_id AND s.seq > w.after AND s.seq <= w.upto
            ORDER BY s.conversation_id, s.user_id, s.seq
            FOR UPDATE OF s
        )
        DELETE FROM saved_messages s
        USING doomed w
        WHERE s.conversation_id = w.conversation_id AND s.user_id = w.user_id AND s.seq = w.seq
        """;

    private const string AddSql =
        """
        INSERT INTO saved_messages (conversation_id, user_id, seq, sent_at, saved_at)
        SELECT w.conversation_id, w.user_id, w.seq, w.sent_at, w.saved_at
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[])
            AS w (conversation_id, user_id, seq, sent_at, saved_at)
        """;

    private readonly HashSet<SoughtMessage> required = [];
    private readonly HashSet<UserId> countsRequired = [];
    private readonly HashSet<UserId> locked = [];
    private readonly Dictionary<UserId, SavedMessages> users = [];
    private readonly Dictionary<(ConversationId Id, UserId User, long Seq), Instant> added = [];
    private readonly List<Seqs> removed = [];
    private readonly List<Seqs> forgotten = [];

    /// <summary>Requires whether a user has saved a message.</summary>
    public void Require(SoughtMessage sought, UserId user)
    {
        messages.Require(sought);
        required.Add(sought);
        users.TryAdd(user, new SavedMessages());
    }

    /// <summary>Requires the number of messages that a user has saved, and locks it.</summary>
    public void RequireCount(UserId user) => countsRequired.Add(user);

    /// <summary>
    /// Whether a required number could not be locked, since the user is saving in another conversation: only this change is retried.
    /// </summary>
    public bool IsBusy(UserId user) => countsRequired.Contains(user) && !locked.Contains(user);

    /// <summary>When a user saved a message; null if it is not saved.</summary>
    public Instant? Find(ConversationId id, UserId user, long seq) => users[user].Find(id, seq);

    /// <summary>Saves a message; false if it is already saved. Not found if an earlier change hid it from the user.</summary>
    public bool Save(ConversationId id, UserId user, StoredMessage message, Instant at)
    {
        if (forgotten.Exists(range => range.Contains(id, user, message.Seq)))
            throw CommonErrors.NotFound();
        if (!users[user].Save(id, message.Seq, at))
            return false;
        added[(id, user, message.Seq)] = message.CreatedAt;
        return true;
    }

    /// <summary>Removes a saved message; false if it was not saved.</summary>
    public bool Unsave(ConversationId id, UserId user, long seq)
    {
        if (!users[user].Unsave(id, seq))
            return false;
        added.Remove((id, user, seq));
        removed.Add(new Seqs(id, user, seq - 1, seq));
        return true;
    }

    // Waits within an open transaction, which cannot be retried. The array is wrapped because a single string[] would become the list of
    // values itself.
    internal override void Lock(Round round, bool waits, Action<ConversationId> miss) => Columns.IfAny(countsRequired, rows =>
    {
        object[] values = [Columns.Of(rows, user => user.Value)];
        if (round.IsWithin)
            round.Read(LockSql, reader => locked.Add(new(reader.GetString(0))), values);
        else
            round.Read(TryLockSql, reader => LockIf(reader.GetBoolean(1), new(reader.GetString(0))), values);
    });

    internal override void Load(Round round)
    {
        Columns.IfAny(countsRequired, rows => round.Read(
            CountSql, reader => users[new(reader.GetString(0))].RestoreCount((int)reader.GetInt64(1)),
            Columns.Of(rows, user => user.Value), SavedMessages.Limit));
        Load(round, required, SoughtMessage.Near);
    }

    internal override void LoadElsewhere(Round round) =>
        Load(round, messages.Missing.Where(required.Contains).ToHashSet(), SoughtMessage.Anywhere);

    internal override void Forget(ConversationId id, StoredMessage message) => Drop(key => key.Id == id && key.Seq == message.Seq);

    internal override void ForgetOwn(ConversationId id, UserId user, long after, long upto)
    {
        var range = new Seqs(id, user, after, upto);
        forgotten.Add(range);
        Drop(key => range.Contains(key.Id, key.User, key.Seq));
    }

    internal override void Write(Round round)
    {
        // Removed first: a message may have been unsaved and saved again.
        Columns.IfAny([.. removed, .. forgotten], rows => round.Add(
            RemoveSql, Columns.Of(rows, row => row.Id.Value), Columns.Of(rows, row => row.User.Value), Columns.Of(rows, row => row.After),
            Columns.Of(rows, row => row.Upto)));
        Columns.IfAny(added, rows => round.Add(
            AddSql, Columns.Of(rows, row => row.Key.Id.Value), Columns.Of(rows, row => row.Key.User.Value),
            Columns.Of(rows, row => row.Key.Seq), Columns.Of(rows, row => row.Value.ToDateTimeUtc()),
            Columns.Of(rows, row => Find(row.Key.Id, row.Key.User, row.Key.Seq)!.Value.ToDateTimeUtc())));
    }

    // Drops what changes of the same batch have saved.
    private void Drop(Func<(ConversationId Id, UserId User, long Seq), bool> matches)
    {
        foreach (var key in added.Keys.Where(matches).ToList())
        {
            added.Remove(key);
            users[key.User].Unsave(key.Id, key.Seq);
        }
    }

    private void LockIf(bool isLocked, UserId user)
    {
        if (isLocked)
            locked.Add(user);
    }

    private void Load(Round round, HashSet<SoughtMessage> sought, Func<IReadOnlyCollection<SoughtMessage>, object[]> where) =>
        Columns.IfAny(sought, rows => round.Read(
            LoadSql,
            reader => users[new(reader.GetString(1))].Restore(
                new(reader.GetGuid(0)), reader.GetInt64(2), Instant.FromDateTimeUtc(reader.GetDateTime(3))),
            where(rows)));

    private readonly record struct Seqs(ConversationId Id, UserId User, long After, long Upto)
    {
        public bool Contains(ConversationId id, UserId user, long seq) => id == Id && user == User && seq > After && seq <= Upto;
    }
}

public static class SavedOfChangeSet
{
    extension(ChangeSet set)
    {
        public SavedPart Saved => set.Part<SavedPart>();
    }
}
