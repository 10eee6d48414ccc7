using System.Data.Common;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>Who is kept out of groups.</summary>
public sealed class BanPart : ChangePart
{
    // Under the conversations' locks, so that nobody is let in or kept out meanwhile. Index: pk_users, pk_bans.
    private const string LoadSql =
        """
        SELECT k.conversation_id, u.id, u.display_name, u.avatar_url, b.created_at, b.banned_by, a.display_name, a.avatar_url
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN users u ON u.id = k.user_id
        LEFT JOIN bans b ON b.conversation_id = k.conversation_id AND b.user_id = k.user_id
        LEFT JOIN users a ON a.id = b.banned_by
        """;

    private const string AddSql =
        """
        INSERT INTO bans (conversation_id, user_id, banned_by, created_at)
        SELECT w.conversation_id, w.user_id, w.banned_by, w.at
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS w (conversation_id, user_id, banned_by, at)
        """;

    // Index: pk_bans.
    private const string RemoveSql =
        """
        DELETE FROM bans b
        USING unnest($1::uuid[], $2::text[]) AS w (conversation_id, user_id)
        WHERE b.conversation_id = w.conversation_id AND b.user_id = w.user_id
        """;

    private readonly HashSet<(ConversationId Id, UserId User)> asked = [];
    private readonly Dictionary<(ConversationId Id, UserId User), SenderView> users = [];
    private readonly Dictionary<(ConversationId Id, UserId User), BanView> stored = [];
    private readonly Dictionary<(ConversationId Id, UserId User), BanView> bans = [];

    internal override ChangeStage Stage => ChangeStage.Admission;

    /// <summary>Asks whether somebody is kept out.</summary>
    public void Require(ConversationId id, UserId user) => asked.Add((id, user));

    /// <summary>The ban as the changes before have left it; null for who is not kept out.</summary>
    public BanView? Find(ConversationId id, UserId user) => bans.GetValueOrDefault((id, user));

    /// <summary>Refuses, as absent, a user whom nobody knows.</summary>
    public void EnsureKnown(ConversationId id, UserId user)
    {
        if (!users.ContainsKey((id, user)))
            throw CommonErrors.NotFound();
    }

    /// <summary>Leaves a ban to be written.</summary>
    public BanView Put(ConversationId id, UserId user, SenderView? by, Instant at) => bans[(id, user)] = new(users[(id, user)], by, at);

    /// <summary>Leaves it to be written that a ban is lifted.</summary>
    public void Lift(ConversationId id, UserId user) => bans.Remove((id, user));

    internal override void Load(Round round) => Columns.IfAny(asked, rows =>
    {
        var (ids, userIds) = Columns.Split(rows);
        round.Read(LoadSql, Read, ids, userIds);
    });

    internal override void Write(Round round)
    {
        // One that was lifted and put again is another one.
        Columns.IfAny(stored.Where(ban => bans.GetValueOrDefault(ban.Key) != ban.Value).Select(ban => ban.Key).ToList(), lifted =>
        {
            var (ids, userIds) = Columns.Split(lifted);
            round.Add(RemoveSql, ids, userIds);
        });
        Columns.IfAny(bans.Where(ban => stored.GetValueOrDefault(ban.Key) != ban.Value).ToList(), put => round.Add(
            AddSql, Columns.Of(put, ban => ban.Key.Id.Value), Columns.Of(put, ban => ban.Key.User.Value),
            Columns.Of(put, ban => ban.Value.By?.UserId.Value), Columns.Of(put, ban => ban.Value.CreatedAt.ToDateTimeUtc())));
    }

    private void Read(DbDataReader reader)
    {
        var key = (new ConversationId(reader.GetGuid(0)), new UserId(reader.GetString(1)));
        users[key] = Person(1)!;
        if (!reader.IsDBNull(4))
            stored[key] = bans[key] = new BanView(users[key], Person(5), Instant.FromDateTimeUtc(reader.GetDateTime(4)));

        SenderView? Person(int column) => reader.IsDBNull(column)
            ? null
            : new SenderView(new UserId(reader.GetString(column)), Text(column + 1), Text(column + 2));

        string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
    }
}

public static class BansOfChangeSet
{
    extension(ChangeSet set)
    {
        public BanPart Bans => set.Part<BanPart>();
    }
}
