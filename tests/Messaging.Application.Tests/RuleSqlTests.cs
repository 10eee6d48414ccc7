using CsCheck;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Participants;
using Messaging.Application.Receipts;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using Messaging.Testing;
using NodaTime;

namespace Messaging.Application.Tests;

/// <summary>Rules of the domain that stand in SQL too, once: of anything made at random they say the same.</summary>
public sealed class RuleSqlTests : SliceFixture
{
    private const string LockoutsSql =
        $"""
        SELECT now() AS now, p.stays_out_until AS until, coalesce({LockoutSql.Holds}, false) AS holds
        FROM (
            SELECT CASE WHEN n % 10 <> 1 THEN now() + (n - 500) * interval '1 microsecond' END AS stays_out_until
            FROM generate_series(0, 1000) AS n
        ) p
        """;

    // All that stand otherwise to each other.
    private const string OwnStatesSql =
        $"""
        SELECT now() AS now, c.last_seq, p.archived_seq, p.hidden_seq, p.muted_until, {OwnStateSql.Muted} AS muted,
            {OwnStateSql.MutedUntil} IS NOT NULL AS is_muted_until, {OwnStateSql.Archived} AS archived, NOT {OwnStateSql.InInbox} AS hidden
        FROM generate_series(4, 6) AS c (last_seq)
        CROSS JOIN (
            SELECT archived_seq, hidden_seq, now() + muted_for AS muted_until
            FROM unnest(ARRAY[NULL, 5]) AS archived_seq, unnest(ARRAY[NULL, 5]) AS hidden_seq,
                unnest(ARRAY[NULL, interval '-1 us', interval '0', interval '1 us']) AS muted_for
        ) p
        """;

    [Test]
    public async Task SQL_and_the_domain_agree_on_muted_archived_and_hidden()
    {
        var rows = await Slices.SqlAsync(session => session.QueryAsync<OwnStateRow>(OwnStatesSql, new { }, CancellationToken.None));

        Assert.That(rows.Select(row => row.InSql), Is.EqualTo(rows.Select(row => row.InDomain)));
        Assert.That(rows.Select(row => row.InSql).Distinct().Count(), Is.EqualTo(8));
    }

    // All that a file may be, to one who has and to one who has not cleared the message of 5.
    private const string AttachmentsSql =
        $"""
        SELECT a.uploader_id, a.seq, a.is_stored, a.is_released, a.scan, p.cleared_seq, {AttachmentSql.There} AS there,
            {AttachmentSql.Served} AS served, {AttachmentSql.Nameable} AS nameable, {AttachmentSql.Seen} AS seen
        FROM (
            SELECT uploader_id, seq, is_stored, is_released, scan
            FROM unnest(ARRAY['ada', 'bob']) AS uploader_id, unnest(ARRAY[NULL, 5]) AS seq, unnest(ARRAY[true, false]) AS is_stored,
                unnest(ARRAY[true, false]) AS is_released, unnest(ARRAY['pending', 'clean', 'infected', 'skipped']) AS scan
        ) a
        CROSS JOIN LATERAL (SELECT a.seq) m
        CROSS JOIN (
            SELECT gen_random_uuid() AS conversation_id, @UserId AS user_id, cleared_seq, false AS has_gaps
            FROM unnest(ARRAY[4, 5]) AS cleared_seq
        ) p
        """;

    [Test]
    public async Task Whose_a_file_is_and_how_far_it_has_come_is_the_same_in_SQL_as_in_the_domain()
    {
        var rows = await Slices.SqlAsync(
            session => session.QueryAsync<AttachmentRow>(AttachmentsSql, new { UserId = "ada" }, CancellationToken.None));

        Assert.That(rows.Select(row => row.InSql), Is.EqualTo(rows.Select(row => row.InDomain(new("ada")))));
        Assert.That(rows.Select(row => row.InSql).Distinct().Count(), Is.GreaterThan(4));
    }

    private const string LineSql =
        $"""
        SELECT p.user_id
        FROM (SELECT user_id COLLATE "C" AS user_id, role, joined_at FROM unnest(@Users, @Roles, @Joined) AS p (user_id, role, joined_at)) p
        ORDER BY {SuccessionSql.Line}
        """;

    [Test]
    public Task Who_becomes_owner_is_the_same_in_SQL_as_in_the_domain() =>
        Gen.Select(
            Gen.Char["AZaz09_.:@-"], Gen.FrequencyConst((1, ParticipantRole.Admin), (2, ParticipantRole.Member)), Gen.Int[0, 4],
            (letter, role, joined) => (Letter: letter, Role: role, Joined: Instant.FromUnixTimeSeconds(joined)))
        .CheckAsync(length: 60, cases: 3, people => AreInLineAsync(
            [.. people.Select((one, i) => new Participant(default, new UserId($"{one.Letter}{i}"), one.Role, one.Joined, joinedSeq: 0))]));

    private async Task AreInLineAsync(IReadOnlyList<Participant> members)
    {
        var line = await Slices.SqlAsync(session => session.QueryAsync<string>(
            LineSql,
            new
            {
                Users = members.Select(one => one.UserId.Value).ToArray(),
                Roles = members.Select(one => one.Role.ToString().ToLowerInvariant()).ToArray(),
                Joined = members.Select(one => one.JoinedAt.ToDateTimeUtc()).ToArray(),
            },
            CancellationToken.None));

        Assert.That(line, Is.EqualTo(Conversation.BySuccession(members).Select(one => one.UserId.Value)));
    }

    private const string LargeSql =
        $"""
        SELECT c.participant_count
        FROM generate_series(0, 300) AS c (participant_count)
        WHERE {ReceiptSql.IsLarge}
        ORDER BY 1
        """;

    [Test]
    public async Task A_conversation_is_large_in_SQL_as_in_the_domain()
    {
        var large = await Slices.SqlAsync(session => session.QueryAsync<int>(LargeSql, new { }, CancellationToken.None));

        Assert.That(large, Is.EqualTo(Enumerable.Range(0, 301).Where(count => Of(count).IsLarge)).And.Contain(300).And.Not.Contain(0));

        static Conversation Of(int count) => ConversationOf(new PolicySettings().With(stored: null), count);
    }

    private static Conversation ConversationOf(ConversationPolicy policy, int count, bool blocked = false, RequestState? request = null) =>
        new Conversation(default, new ConversationState(
            ConversationType.Group, OwnerId: null, count, LastSeq: 0, Version: 1, Closed: false, Archived: false, blocked, request, policy,
            EventNo: 0, LastEventAt: default, LastActivityDay: null));

    // All that the policy, a block and a first message may say together.
    private const string PartedSql =
        $"""
        SELECT c.blocked, c.request, c.policy::text AS policy, {ConversationStore.Parted} AS parted,
            {ParticipantViewStore.ReceiptsAreOn} AND NOT {ConversationStore.Parted} AS tells
        FROM (
            SELECT blocked, request, policy
            FROM unnest(ARRAY[true, false]) AS blocked, unnest(ARRAY[NULL, 'unsent', 'pending']) AS request,
                unnest(ARRAY[NULL, jsonb_build_object('receipts', true), jsonb_build_object('receipts', false)]) AS policy
        ) c
        """;

    [Test]
    public async Task Who_are_parted_and_who_learn_of_receipts_are_the_same_in_SQL_as_in_the_domain([Values] bool receipts)
    {
        var rows = await Slices.SqlAsync(
            session => session.QueryAsync<PartedRow>(PartedSql, new { Receipts = receipts }, CancellationToken.None));
        var settings = new PolicySettings { Receipts = receipts };

        Assert.That(rows.Select(row => row.InSql), Is.EqualTo(rows.Select(row => row.InDomain(settings))));
        Assert.That(rows.Select(row => row.InSql).Distinct().Count(), Is.EqualTo(3));
    }

    private const string RequestsSql =
        $"""
        SELECT r.from_id, r.status, r.answered_at, {RequestStore.StatusShown} AS shown, {RequestStore.AnsweredShown} AS answered_shown
        FROM (
            SELECT from_id, status, CASE WHEN status <> 'pending' THEN now() END AS answered_at
            FROM unnest(ARRAY['ada', 'bob']) AS from_id, unnest(ARRAY['pending', 'accepted', 'declined']) AS status
        ) r
        CROSS JOIN (SELECT 'ada' AS user_id) v
        """;

    [Test]
    public async Task A_no_looks_like_no_answer_in_SQL_as_in_the_domain()
    {
        var rows = await Slices.SqlAsync(session => session.QueryAsync<RequestRow>(RequestsSql, new { }, CancellationToken.None));

        Assert.That(rows.Select(row => row.InSql), Is.EqualTo(rows.Select(row => row.InDomain(new("ada")))));
        Assert.That(rows.Select(row => row.Shown).Distinct(), Is.EquivalentTo(Enum.GetValues<RequestStatus>()));
    }

    // Ada has written the third of five messages, all of which mention her or everybody, and has it behind a pointer that was moved back.
    private const string MentionsSql =
        $"""
        SELECT p.cleared_seq, p.last_read_seq, {UnreadSql.Mentions} AS mentions, {UnreadSql.Messages} AS messages
        FROM (SELECT 5 AS last_seq) c
        CROSS JOIN (
            SELECT @Id::uuid AS conversation_id, 'ada' AS user_id, cleared_seq, last_read_seq, true AS has_gaps
            FROM generate_series(0, 5) AS cleared_seq, generate_series(0, 5) AS last_read_seq
        ) p
        """;

    [Test]
    public async Task SQL_and_the_domain_agree_on_what_is_unread()
    {
        var id = Guid.CreateVersion7();
        await Slices.ExecuteAsync(
            """
            INSERT INTO mentions (conversation_id, user_id, seq)
            SELECT @Id, CASE WHEN n % 2 = 0 THEN 'ada' ELSE '@all' END, n FROM generate_series(1, 5) AS n;
            INSERT INTO participant_gaps (conversation_id, user_id, seq) VALUES (@Id, 'ada', 3)
            """,
            new { Id = id });

        var rows = await Slices.SqlAsync(session => session.QueryAsync<UnreadRow>(MentionsSql, new { Id = id }, CancellationToken.None));

        Assert.That(rows.Select(row => (row.Mentions, row.Messages)), Is.EqualTo(rows.Select(row => (row.InDomain, row.InDomain))));
        Assert.That(rows.Select(row => row.Mentions).Distinct(), Is.EquivalentTo(Enumerable.Range(0, 5)));
    }

    [Test]
    public async Task A_lockout_holds_in_SQL_as_in_the_domain()
    {
        var rows = await Slices.SqlAsync(session => session.QueryAsync<LockoutRow>(LockoutsSql, new { }, CancellationToken.None));

        Assert.That(rows.Where(row => row.Holds != (row.Until is { } until && new Lockout(until).HoldsAt(row.Now))), Is.Empty);
        Assert.That(rows.Select(row => row.Holds).Distinct(), Is.EquivalentTo(new[] { true, false }));
    }

    private sealed record AttachmentRow(
        UserId UploaderId, int? Seq, bool IsStored, bool IsReleased, ScanState Scan, int ClearedSeq, bool There, bool Served, bool Nameable,
        bool Seen)
    {
        public (bool, bool, bool, bool) InSql => (There, Served, Nameable && UploaderId == new UserId("ada"), Seen);

        public (bool, bool, bool, bool) InDomain(UserId user)
        {
            var file = new Attachment(UploaderId, Seq, IsStored, IsReleased, Scan);
            return (file.IsThere, file.IsServed, file.MayBeNamedBy(user), file.IsSeenBy(user, new Visibility(ClearedSeq), isHidden: false));
        }
    }

    private sealed record OwnStateRow(
        Instant Now, int LastSeq, int? ArchivedSeq, int? HiddenSeq, Instant? MutedUntil, bool Muted, bool IsMutedUntil, bool Archived,
        bool Hidden)
    {
        private OwnState State =>
            new(ClearedSeq: 0, HiddenSeq, ArchivedSeq, StarredAt: null, MutedUntil, ShowsReads: true, Preferences: null);

        public (bool, bool, bool, bool) InSql => (Muted, IsMutedUntil, Archived, Hidden);

        public (bool, bool, bool, bool) InDomain =>
            (State.IsMuted(Now), State.IsMuted(Now), State.IsArchived(LastSeq, Now), State.IsHidden(LastSeq));
    }

    private sealed record PartedRow(bool Blocked, RequestState? Request, JsonText? Policy, bool Parted, bool Tells)
    {
        public (bool, bool) InSql => (Parted, Tells);

        public (bool, bool) InDomain(PolicySettings settings)
        {
            var conversation = ConversationOf(settings.With(Policy), count: 2, Blocked, Request);
            return (conversation.IsKeptApart, conversation.TellsReceipts);
        }
    }

    private sealed record RequestRow(UserId FromId, RequestStatus Status, Instant? AnsweredAt, RequestStatus Shown, Instant? AnsweredShown)
    {
        public (RequestStatus, Instant?) InSql => (Shown, AnsweredShown);

        public (RequestStatus, Instant?) InDomain(UserId viewer)
        {
            var seen = new FirstMessage(Guid.Empty, FromId, Status, AnsweredAt).AsSeenBy(viewer);
            return (seen.Status, seen.AnsweredAt);
        }
    }

    private sealed record UnreadRow(int ClearedSeq, int LastReadSeq, long Mentions, long Messages)
    {
        private Participant Ada => new(default, new("ada"), new ParticipantState(ParticipantRole.Member, default, JoinedSeq: 0)
        {
            LastReadSeq = LastReadSeq,
            Own = OwnState.Unchanged with { ClearedSeq = ClearedSeq },
        });

        public long InDomain => Enumerable.Range(1, 5).Count(seq => Ada.HasUnread(
            new StoredMessage(default, seq, new(seq == 3 ? "ada" : "bob"), MessageType.Text, default, IsDeleted: false, Version: 1)));
    }

    private sealed record LockoutRow(Instant Now, Instant? Until, bool Holds);
}
