using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>Tells of a conversation and its people, in the transaction that changed them.</summary>
public sealed class Announcer(DbSession session, Outbox outbox)
{
    // What clients count on from there, as this transaction leaves it. Index: pk_conversations; pk_participants, at most ten.
    private const string MomentSql =
        """
        SELECT c.last_seq, c.last_activity_at, c.participant_count, ARRAY(
            SELECT p.user_id
            FROM participants p
            WHERE p.conversation_id = @ConversationId AND p.left_at IS NULL
            ORDER BY p.user_id
            LIMIT 10) AS participants
        FROM conversations c
        WHERE c.id = @ConversationId
        """;

    /// <summary>An event that carries the conversation as everybody sees it.</summary>
    public async Task ConversationAsync(IEvent fact, CancellationToken ct) =>
        await outbox.AppendAsync(fact, await MomentAsync(fact.ConversationId, ct), ct);

    /// <summary>That people came in: the conversation to each of them, and each of them to everybody.</summary>
    public async Task ArrivalAsync(ConversationId id, UserId? by, IReadOnlyList<UserId> users, CancellationToken ct)
    {
        var added = users.Distinct().Order().ToList();
        var conversation = await MomentAsync(id, ct);
        await outbox.AppendAsync<object>(
            [.. added.Select(user => new ConversationCreated(id, user)), .. added.Select(_ => new ParticipantAdded(id))],
            [.. added.Select(_ => conversation), .. added.Select(user => new ParticipantValues { Participant = new(user), By = by })],
            ct);
    }

    /// <summary>That people have other roles.</summary>
    public Task RolesAsync(ConversationId id, UserId? by, IReadOnlyList<UserId> users, CancellationToken ct) => outbox.AppendAsync(
        [.. users.Select(_ => new ParticipantUpdated(id))],
        [.. users.Order().Select(user => new ParticipantValues { Participant = new(user), By = by })],
        ct);

    /// <summary>That somebody is gone: to those who stay, and to the one concerned, who hears nothing else any more.</summary>
    public Task RemovalAsync(ConversationId id, Removal removal, CancellationToken ct) =>
        outbox.AppendAsync([new ParticipantRemoved(id), new ParticipantRemoved(id, removal.UserId)], [removal, removal], ct);

    private async Task<ConversationValues> MomentAsync(ConversationId id, CancellationToken ct) =>
        (await session.QuerySingleAsync<Row>(MomentSql, new { ConversationId = id.Value }, ct)).ToValues();

    private sealed record Row(long LastSeq, Instant LastActivityAt, int ParticipantCount, string[] Participants)
    {
        public ConversationValues ToValues() => new()
        {
            LastSeq = LastSeq,
            LastActivityAt = LastActivityAt,
            ParticipantCount = ParticipantCount,
            Participants = [.. Participants.Select(user => new UserRef(new UserId(user)))],
        };
    }
}

/// <summary>Who no longer takes part, and who has put that one out.</summary>
/// <param name="By">Null for the service, oneself for who left.</param>
public sealed record Removal(UserId UserId, UserId? By, bool Banned);
