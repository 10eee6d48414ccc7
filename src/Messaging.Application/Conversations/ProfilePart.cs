using System.Data.Common;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Conversations;

/// <summary>What conversations say of themselves.</summary>
public sealed class ProfilePart : ChangePart
{
    // Under the conversations' locks. Index: pk_conversations.
    private const string LoadSql =
        """
        SELECT id, name, description, avatar_url, slug, metadata::text, policy::text
        FROM conversations
        WHERE id = ANY($1::uuid[])
        """;

    // Index: pk_conversations.
    private const string SaveSql =
        """
        UPDATE conversations c
        SET name = w.name, description = w.description, avatar_url = w.avatar_url, slug = w.slug, metadata = w.metadata::jsonb,
            policy = w.policy::jsonb
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
            AS w (id, name, description, avatar_url, slug, metadata, policy)
        WHERE c.id = w.id
        """;

    // Index: pk_slugs.
    private const string FreeSlugsSql = "DELETE FROM slugs WHERE slug = ANY($1::text[])";

    // One that is in use clashes in pk_slugs.
    private const string TakeSlugsSql =
        """
        INSERT INTO slugs (slug, conversation_id)
        SELECT w.slug, w.id
        FROM unnest($1::text[], $2::uuid[]) AS w (slug, id)
        """;

    private readonly Dictionary<ConversationId, Profile> stored = [];
    private readonly Dictionary<ConversationId, Profile> changed = [];
    private readonly HashSet<ConversationId> asked = [];

    internal override ChangeStage Stage => ChangeStage.Conversation;

    public void Require(ConversationId id) => asked.Add(id);

    public Profile Of(ConversationId id) => changed.GetValueOrDefault(id) ?? stored[id];

    /// <summary>Leaves it to be written that a conversation says something else of itself.</summary>
    public void Save(ConversationId id, Profile profile) => changed[id] = profile;

    internal override void Load(Round round) => Columns.IfAny(
        asked, ids => round.Read(LoadSql, Read, Columns.Of(ids, id => id.Value)));

    internal override void Write(Round round)
    {
        Columns.IfAny(changed, rows => round.Add(
            SaveSql, Columns.Of(rows, row => row.Key.Value), Columns.Of(rows, row => row.Value.Name),
            Columns.Of(rows, row => row.Value.Description), Columns.Of(rows, row => row.Value.AvatarUrl),
            Columns.Of(rows, row => row.Value.Slug),
            Columns.Of(rows, row => row.Value.Metadata), Columns.Of(rows, row => row.Value.Policy)));
        var renamed = changed.Where(row => row.Value.Slug != stored[row.Key].Slug).ToList();
        Columns.IfAny(renamed.FindAll(row => stored[row.Key].Slug is not null), rows => round.Add(
            FreeSlugsSql, [Columns.Of(rows, row => stored[row.Key].Slug)]));
        Columns.IfAny(renamed.FindAll(row => row.Value.Slug is not null), rows => round.Add(
            TakeSlugsSql, Columns.Of(rows, row => row.Value.Slug), Columns.Of(rows, row => row.Key.Value)));
    }

    private void Read(DbDataReader reader)
    {
        stored[new(reader.GetGuid(0))] = new Profile(Text(1), Text(2), Text(3), Text(4), Json(5), Json(6));

        string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

        string? Json(int column) => Text(column) is { } text ? JsonText.OfStored(text).Value : null;
    }
}

public static class ProfilesOfChangeSet
{
    extension(ChangeSet set)
    {
        public ProfilePart Profiles => set.Part<ProfilePart>();
    }
}
