using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>
/// What an event of a conversation keeps of the moment: what clients count on from there, by the events that follow. All else is the
/// conversation's of when it is told.
/// </summary>
public sealed record ConversationValues
{
    public long LastSeq { get; init; }

    public Instant? LastActivityAt { get; init; }

    public int ParticipantCount { get; init; }

    /// <summary>The first ten.</summary>
    public IReadOnlyList<UserRef> Participants { get; init; } = [];
}

/// <summary>
/// Whom an event of a participant is about; how that one takes part is told as it is then. How many take part is that of the change.
/// </summary>
public sealed record ParticipantValues
{
    public UserRef? Participant { get; init; }

    /// <summary>Null for the service.</summary>
    public UserId? By { get; init; }

    /// <summary>Null in rows of releases that did not keep it.</summary>
    public int? ParticipantCount { get; init; }

    /// <summary>The conversation's after the change; null in rows of releases that did not keep it.</summary>
    public long? Version { get; init; }
}

/// <summary>Conversations and their people, as everybody sees them.</summary>
public sealed class ConversationEventSource(PolicySettings policies) : IEventSource
{
    // Index: pk_conversations.
    private const string ConversationsSql =
        $"""
        SELECT {ConversationViewStore.Columns}
        FROM conversations c
        LEFT JOIN participants p ON p.conversation_id = c.id AND p.user_id = @UserId
        WHERE c.id = ANY(@ToldConversations::uuid[])
        """;

    // Also those who have left since: that they have is told next. Index: pk_conversations, pk_participants, pk_users.
    private const string PeopleSql =
        $"""
        SELECT p.conversation_id, {ParticipantViewStore.Columns}
        FROM unnest(@PeopleConversations::uuid[], @People::text[]) AS k (conversation_id, user_id)
        JOIN conversations c ON c.id = k.conversation_id
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id
        JOIN users u ON u.id = k.user_id
        """;

    // The newest message of the moment, if it is there and the viewer's to see. The LIMIT keeps the planner from reading all messages of
    // the conversations, to join them. Index: pk_messages, pk_participants, pk_message_hidden.
    private const string NewestSql =
        $"""
        SELECT m.conversation_id, m.seq, k.viewer, m.id, m.type, m.sender_id, {Previews.Text} AS text, m.deleted_at IS NOT NULL AS deleted,
            m.created_at
        FROM unnest(@NewestConversations::uuid[], @NewestSeqs::bigint[], @NewestTimes::timestamptz[], @NewestViewers::text[])
            AS k (conversation_id, seq, created_at, viewer)
        CROSS JOIN LATERAL (
            SELECT m.conversation_id, m.seq, m.id, m.type, m.sender_id, m.text, m.deleted_at, m.created_at
            FROM messages m
            WHERE m.conversation_id = k.conversation_id AND m.seq = k.seq AND m.created_at = k.created_at
            LIMIT 1
        ) m
        LEFT JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.viewer AND {VisibilitySql.TakesPart}
        WHERE k.viewer IS NULL OR ({VisibilitySql.Seen})
        """;

    private static readonly string[] OfPeople = [ParticipantAdded.Name, ParticipantUpdated.Name];

    public IReadOnlyCollection<string> Types { get; } =
    [
        ConversationCreated.Name, ConversationUpdated.Name, ConversationArchived.Name, ConversationClosed.Name, ConversationReopened.Name,
        .. OfPeople,
    ];

    public Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader)
    {
        var told = rows.Where(row => !OfPeople.Contains(row.Type))
            .Select(row => (Id: row.ConversationId!.Value, Viewer: ViewerOf(row), Values: row.Values<ConversationValues>())).ToList();
        var newest = told.Where(one => one.Values is { LastSeq: > 0, LastActivityAt: not null })
            .DistinctBy(one => (one.Id, one.Viewer, one.Values.LastSeq)).ToList();
        var concerned = rows.Where(row => OfPeople.Contains(row.Type)).Select(row => (Id: row.ConversationId!.Value, User: PersonOf(row)));
        var people = told.SelectMany(one => one.Values.Participants.Select(person => (one.Id, User: person.UserId)))
            .Concat(concerned.Where(one => one.User is not null).Select(one => (one.Id, User: one.User!.Value)))
            .Distinct().ToList();
        return new(
            ConversationsSql + ";" + PeopleSql + ";" + NewestSql,
            new
            {
                UserId = (string?)null,
                policies.Receipts,
                ToldConversations = told.Select(one => one.Id).Distinct().ToArray(),
                PeopleConversations = people.Select(one => one.Id).ToArray(),
                People = people.Select(one => one.User.Value).ToArray(),
                NewestConversations = newest.Select(one => one.Id).ToArray(),
                NewestSeqs = newest.Select(one => one.Values.LastSeq).ToArray(),
                NewestTimes = newest.Select(one => one.Values.LastActivityAt!.Value.ToDateTimeUtc()).ToArray(),
                NewestViewers = newest.Select(one => one.Viewer).ToArray(),
            },
            async grid =>
            {
                var conversations = (await grid.ReadAsync<ConversationViewStore.Row>()).ToDictionary(row => row.Id.Value);
                var participants = (await grid.ReadAsync<ConversationViewStore.ParticipantRow>())
                    .ToDictionary(row => (row.ConversationId.Value, row.UserId));
                var messages = (await grid.ReadAsync<NewestRow>()).ToDictionary(row => (row.ConversationId, row.Seq, row.Viewer));
                return row => OfPeople.Contains(row.Type) ? PersonIn(row, participants) : ConversationIn(row);

                object? ConversationIn(FeedRow row)
                {
                    var id = row.ConversationId!.Value;
                    if (!conversations.TryGetValue(id, out var conversation))
                        return null;
                    var values = row.Values<ConversationValues>();
                    var first = values.Participants.Select(one => participants.GetValueOrDefault((id, one.UserId)))
                        .OfType<ConversationViewStore.ParticipantRow>();
                    return conversation.ToView(policies.With(conversation.Policy), first) with
                    {
                        LastSeq = values.LastSeq,
                        LastActivityAt = values.LastActivityAt ?? conversation.CreatedAt,
                        ParticipantCount = values.ParticipantCount,
                        LastMessage = messages.GetValueOrDefault((id, values.LastSeq, ViewerOf(row)))?.ToPreview(),
                    };
                }
            });

        string? ViewerOf(FeedRow row) => reader?.Value ?? row.UserId;
    }

    private static ParticipantChange? PersonIn(
        FeedRow row, Dictionary<(Guid Conversation, UserId User), ConversationViewStore.ParticipantRow> participants)
    {
        var values = row.Values<ParticipantValues>();
        return values.Participant is { } user && participants.TryGetValue((row.ConversationId!.Value, user.UserId), out var person)
            ? new(person.ToView(), values.By, values.ParticipantCount, values.Version)
            : null;
    }

    private static UserId? PersonOf(FeedRow row) => row.Values<ParticipantValues>().Participant?.UserId;

    private sealed record NewestRow(
        Guid ConversationId, long Seq, string? Viewer, MessageId Id, MessageType Type, UserId? SenderId, string? Text, bool Deleted,
        Instant CreatedAt)
    {
        public MessagePreview ToPreview() => new(Id, Seq, Type, SenderId, Text, Deleted, CreatedAt);
    }
}
