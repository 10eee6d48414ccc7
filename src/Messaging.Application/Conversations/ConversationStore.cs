using System.Data.Common;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;
using NodaTime.Text;

namespace Messaging.Application.Conversations;

/// <summary>Loads and saves the conversation and its founding members.</summary>
public sealed class ConversationStore(DbSession session, InboxPlaceStore places, PolicySettings policies)
{
    /// <summary>The columns of <see cref="StateRow"/>, of a conversation <c>c</c>.</summary>
    public const string StateColumns =
        """
        c.type, c.owner_id, c.participant_count, c.last_seq, c.version, c.closed_at IS NOT NULL AS closed,
        c.archived_at IS NOT NULL AS archived, c.blocked, c.request, c.policy, c.event_no, c.last_event_at, c.last_activity_day
        """;

    /// <summary>
    /// True if <c>@UserId</c> is a participant of <c>@ConversationId</c>, and always for the service. Index: pk_participants.
    /// </summary>
    public const string Visible =
        """
        (@UserId::text IS NULL OR EXISTS (
            SELECT FROM participants a
            WHERE a.conversation_id = @ConversationId AND a.user_id = @UserId AND a.left_at IS NULL))
        """;

    /// <summary>
    /// True for a direct conversation <c>c</c> in which one user has blocked the other or has not accepted the first message.
    /// </summary>
    public const string Parted = "(c.blocked OR coalesce(c.request = 'pending', false))";

    // Index: pk_conversations, pk_participants.
    private const string GetSql =
        $"""
        SELECT {StateColumns}, p.role, p.joined_at, p.joined_seq
        FROM conversations c
        LEFT JOIN participants p ON p.conversation_id = @ConversationId AND p.user_id = @UserId AND p.left_at IS NULL
        WHERE c.id = @ConversationId AND (@UserId::text IS NULL OR p.user_id IS NOT NULL)
        """;

    private const string InsertSql =
        """
        WITH c AS (
            INSERT INTO conversations (id, type, name, description, avatar_url, slug, owner_id, created_by, context_type, context_id,
                metadata, policy, request, participant_count, created_at, updated_at, last_event_at, last_activity_at, last_activity_day)
            VALUES (@Id, @Type, @Name, @Description, @AvatarUrl, @Slug, @OwnerId, @CreatedBy, @ContextType, @ContextId,
                @Metadata::jsonb, @Policy::jsonb, @Request, @ParticipantCount, @Now, @Now, @Now, @Now, @Day::date)
        ),
        s AS (
            INSERT INTO slugs (slug, conversation_id)
            SELECT @Slug, @Id
            WHERE @Slug::text IS NOT NULL
        )
        INSERT INTO participants (conversation_id, user_id, role, joined_at, activity_day)
        SELECT @Id, m.user_id, m.role, @Now, m.day::date
        FROM unnest(@Members::text[], @Roles::text[], @Days::text[]) AS m (user_id, role, day)
        """;

    // Index: pk_users.
    private const string KnownSql =
        """
        SELECT id
        FROM users
        WHERE id = ANY(@UserIds)
        """;

    /// <summary>The state that a reader stands at, its columns being <see cref="StateColumns"/> from <paramref name="first"/> on.</summary>
    public static ConversationState ReadState(DbDataReader reader, int first, PolicySettings policies) => new(
        Enum.Parse<ConversationType>(reader.GetString(first), ignoreCase: true),
        reader.IsDBNull(first + 1) ? null : new UserId(reader.GetString(first + 1)),
        reader.GetInt32(first + 2),
        reader.GetInt64(first + 3),
        reader.GetInt64(first + 4),
        reader.GetBoolean(first + 5),
        reader.GetBoolean(first + 6),
        reader.GetBoolean(first + 7),
        reader.IsDBNull(first + 8) ? null : Enum.Parse<RequestState>(reader.GetString(first + 8), ignoreCase: true),
        policies.With(reader.IsDBNull(first + 9) ? null : new JsonText(reader.GetString(first + 9))),
        reader.GetInt64(first + 10),
        Instant.FromDateTimeUtc(reader.GetDateTime(first + 11)),
        reader.IsDBNull(first + 12) ? null : LocalDate.FromDateOnly(reader.GetFieldValue<DateOnly>(first + 12)));

    /// <summary>The conversation and the actor's membership; refuses what the actor cannot see.</summary>
    public async Task<(Conversation Conversation, Participant? Actor)> GetAsync(ConversationId id, Actor actor, CancellationToken ct) =>
        await FindAsync(id, actor, ct) ?? throw CommonErrors.NotFound();

    /// <summary>The conversation and the actor's membership; null for what the actor cannot see.</summary>
    public async Task<(Conversation Conversation, Participant? Actor)?> FindAsync(ConversationId id, Actor actor, CancellationToken ct)
    {
        var row = await session.QuerySingleOrDefaultAsync<Row>(GetSql, new { ConversationId = id.Value, UserId = actor.UserId?.Value }, ct);
        return row is null ? null : (new Conversation(id, row.ToState(policies)), row.Role is null
            ? null
            : new Participant(id, actor.UserId!.Value, row.Role.Value, row.JoinedAt!.Value, row.JoinedSeq!.Value));
    }

    /// <summary>Adds one that is being made, with its founders.</summary>
    public async Task AddAsync(NewConversation conversation, CancellationToken ct)
    {
        var founders = conversation.Founders;
        await session.ExecuteAsync(
            InsertSql,
            new
            {
                Id = conversation.Id.Value,
                Type = conversation.Type.ToString().ToLowerInvariant(),
                conversation.Profile?.Name,
                conversation.Profile?.Description,
                conversation.Profile?.AvatarUrl,
                conversation.Profile?.Slug,
                OwnerId = conversation.OwnerId?.Value,
                CreatedBy = conversation.CreatedBy?.Value,
                ContextType = conversation.Context?.Type,
                ContextId = conversation.Context?.Id,
                conversation.Profile?.Metadata,
                conversation.Profile?.Policy,
                Request = conversation.Request?.ToString().ToLowerInvariant(),
                ParticipantCount = founders.Count,
                Now = conversation.CreatedAt,
                Day = Text(conversation.LastActivityDay),
                Members = founders.Select(founder => founder.UserId.Value).ToArray(),
                Roles = founders.Select(founder => founder.Role.ToString().ToLowerInvariant()).ToArray(),
                Days = founders.Select(founder => Text(conversation.FirstDayOf(founder))).ToArray(),
            },
            ct);
        await places.AddAsync(conversation.Id, [.. founders.Select(founder => founder.UserId)], conversation.CreatedAt, ct);

        static string? Text(LocalDate? day) => day is { } date ? LocalDatePattern.Iso.Format(date) : null;
    }

    /// <summary>Refuses an unknown user in a path, as not found.</summary>
    public async Task EnsureThereAsync(UserId user, CancellationToken ct)
    {
        if ((await session.QueryAsync<string>(KnownSql, new { UserIds = new[] { user.Value } }, ct)).Count == 0)
            throw CommonErrors.NotFound();
    }

    /// <summary>Refuses unknown user ids, each with its place in the request.</summary>
    public async Task EnsureKnownAsync(IReadOnlyList<UserId> users, Func<int, string> placeOf, CancellationToken ct)
    {
        var known = (await session.QueryAsync<string>(KnownSql, new { UserIds = users.Select(user => user.Value).ToArray() }, ct))
            .ToHashSet();
        var problems = users.Select((user, i) => (user, i)).Where(u => !known.Contains(u.user.Value))
            .Select(u => ParticipantErrors.Unknown(placeOf(u.i), u.user).Problem).ToList();
        if (problems.Count > 0)
            throw new RuleException(problems);
    }

    /// <summary>One row of <see cref="StateColumns"/>.</summary>
    public abstract record StateRow(
        ConversationType Type, UserId? OwnerId, int ParticipantCount, long LastSeq, long Version, bool Closed, bool Archived, bool Blocked,
        RequestState? Request, JsonText? Policy, long EventNo, Instant LastEventAt, DateOnly? LastActivityDay)
    {
        public ConversationState ToState(PolicySettings policies) => new(
            Type, OwnerId, ParticipantCount, LastSeq, Version, Closed, Archived, Blocked, Request, policies.With(Policy), EventNo,
            LastEventAt, LastActivityDay is { } day ? LocalDate.FromDateOnly(day) : null);
    }

    private sealed record Row(
        ConversationType Type, UserId? OwnerId, int ParticipantCount, long LastSeq, long Version, bool Closed, bool Archived, bool Blocked,
        RequestState? Request, JsonText? Policy, long EventNo, Instant LastEventAt, DateOnly? LastActivityDay, ParticipantRole? Role,
        Instant? JoinedAt, long? JoinedSeq)
        : StateRow(
            Type, OwnerId, ParticipantCount, LastSeq, Version, Closed, Archived, Blocked, Request, Policy, EventNo, LastEventAt,
            LastActivityDay);
}
