using CsCheck;
using Dapper;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Inboxes;
using Messaging.Testing;
using NodaTime;
using Npgsql;

namespace Messaging.Application.Tests.Conversations;

/// <summary>Inboxes in which every conversation has an exact place.</summary>
public sealed class LargeInboxTests : SliceFixture
{
    private const string WaitsSql =
        """
        SELECT EXISTS (
            SELECT FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%users%')
        """;

    private const string IsKeptSql = "SELECT EXISTS (SELECT FROM large_inboxes WHERE user_id = @UserId AND filled_at IS NOT NULL)";

    // Each conversation of a user's has one place, at its time, and no other has one.
    private const string WrongPlacesSql =
        """
        SELECT count(*)
        FROM (
            SELECT p.conversation_id, c.last_activity_at
            FROM participants p
            JOIN conversations c ON c.id = p.conversation_id
            WHERE p.user_id = @UserId AND p.left_at IS NULL
        ) p
        FULL JOIN (SELECT conversation_id, activity_at FROM inbox_places WHERE user_id = @UserId) i ON i.conversation_id = p.conversation_id
        WHERE i.activity_at IS DISTINCT FROM p.last_activity_at
        """;

    // What an inbox is, said without a thought for speed.
    private const string SortedSql =
        """
        SELECT c.id
        FROM participants p
        JOIN conversations c ON c.id = p.conversation_id
        CROSS JOIN LATERAL (
            SELECT c.last_seq - greatest(p.last_read_seq, p.cleared_seq) - (
                SELECT count(*)
                FROM message_gaps g
                WHERE g.conversation_id = c.id AND g.seq > greatest(p.last_read_seq, p.cleared_seq)) AS unread,
                c.archived_at IS NOT NULL OR coalesce(c.last_seq <= p.archived_seq, false) AS archived
        ) state
        WHERE p.user_id = @UserId AND p.left_at IS NULL AND NOT p.pending AND p.activity_day IS NOT NULL
            AND (p.hidden_seq IS NULL OR c.last_seq > p.hidden_seq)
            AND CASE @Filter
                WHEN 'Archived' THEN state.archived
                WHEN 'Starred' THEN p.starred_at IS NOT NULL
                WHEN 'Unread' THEN NOT state.archived AND state.unread > 0
                ELSE NOT state.archived END
        ORDER BY c.last_activity_at DESC, c.id DESC
        """;

    private NpgsqlDataSource database = null!;
    private LargeInboxes inboxes = null!;

    [OneTimeSetUp]
    public void Connect()
    {
        database = NpgsqlDataSource.Create(ConnectionStrings.ForDirectUse(Slices.ConnectionString));
        inboxes = new LargeInboxes(new DirectDataSource(database));
    }

    [OneTimeTearDown]
    public async Task DisconnectAsync() => await database.DisposeAsync();

    [Test]
    public Task Large_inbox_is_what_a_full_sort_says_whatever_happens_meanwhile() =>
        Gen.Int[0, int.MaxValue].CheckAsync(length: 200, cases: 4, IsWhatAFullSortSaysAsync);

    // Each step is decided by a number of its own: the others take their turns at once, and the last of the program comes after that.
    private async Task IsWhatAFullSortSaysAsync(int[] steps)
    {
        var world = await StartAsync(others: 4);
        var turns = steps[..(steps.Length * 4 / 5)];
        using var over = new CancellationTokenSource();
        var watching = WatchAsync(world.Desk, new Random(steps[0]), over.Token);
        try
        {
            await Task.WhenAll(
                Task.WhenAll(world.Others.Select((_, i) => ActAsync(world, i, turns.Where((_, turn) => turn % 4 == i)))),
                Task.Run(() => inboxes.KeepAsync(world.Desk, CancellationToken.None)));
        }
        finally
        {
            await over.CancelAsync();
        }
        Assert.That(await watching, Is.Positive);

        await inboxes.KeepAsync(world.Desk, CancellationToken.None);
        await ActAsync(world, 0, steps[turns.Length..]);

        Assert.That(await Slices.ScalarAsync<bool>(IsKeptSql, new { UserId = world.Desk.Value }), Is.True);
        Assert.That(await Slices.ScalarAsync<long>(WrongPlacesSql, new { UserId = world.Desk.Value }), Is.Zero);
        foreach (var filter in Enum.GetValues<InboxFilter>())
            await CompareAsync(world.Desk, filter, limit: 3);
    }

    [Test]
    public async Task More_than_200_of_one_day_are_a_large_inbox_and_200_are_not()
    {
        var (desk, other) = (await Slices.UserAsync(), await Slices.UserAsync());
        var today = await FillAsync(desk, other, 200, "now()");
        await FillAsync(desk, other, 10, "now() - interval '1 day'");
        Assert.That(await inboxes.FindAsync([(desk, today), (other, today)], CancellationToken.None), Is.Empty);
        await Slices.GroupAsync(desk, await Slices.UserAsync());

        var suspects = new[] { (desk, today), (other, today), (desk, today.PlusDays(-1)) };
        Assert.That(await inboxes.FindAsync(suspects, CancellationToken.None), Is.EqualTo(new[] { desk }));
        await inboxes.KeepAsync(desk, CancellationToken.None);
        Assert.That(await inboxes.FindAsync([(desk, today)], CancellationToken.None), Is.Empty);
    }

    [TestCase(InboxFilter.All)]
    [TestCase(InboxFilter.Unread)]
    [TestCase(InboxFilter.Starred)]
    [TestCase(InboxFilter.Archived)]
    public async Task Filters_find_much_and_little_in_it(InboxFilter filter)
    {
        foreach (var many in new[] { true, false })
        {
            var desk = await Slices.UserAsync();
            await FillAsync(desk, await Slices.UserAsync(), 300, "now() - make_interval(secs => n % 50)");
            await Slices.ExecuteAsync(
                $"""
                UPDATE participants
                SET starred_at = now(), archived_seq = CASE @Filter WHEN 'Archived' THEN 1 END, last_read_seq = 0
                WHERE user_id = @UserId AND right(conversation_id::text, 1) {(many ? "<> '0'" : "= '0'")}
                """,
                new { UserId = desk.Value, Filter = filter.ToString() });
            await inboxes.KeepAsync(desk, CancellationToken.None);

            Assert.That(await CompareAsync(desk, filter, limit: 100), Is.Positive);
        }
    }

    [Test]
    public async Task A_cursor_that_was_given_before_leads_on_after()
    {
        var world = await StartAsync(others: 2);
        var first = await Slices.SendAsync(Page(world.Desk, null));
        await inboxes.KeepAsync(world.Desk, CancellationToken.None);

        var second = await Slices.SendAsync(Page(world.Desk, first.NextCursor));

        Assert.That(
            first.Items.Concat(second.Items).Select(c => c.Id.Value),
            Is.EqualTo((await SortedAsync(world.Desk, InboxFilter.All)).Take(second.Items.Count + 2)));
        Assert.That(second.Items, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_locked_conversation_is_not_waited_for_and_the_inbox_reads_as_before_until_it_is_free()
    {
        var world = await StartAsync(others: 2);
        await using (var connection = await Slices.OpenAsync())
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await connection.ExecuteAsync(
                "SELECT id FROM conversations WHERE id = @Id FOR NO KEY UPDATE", new { Id = world.Conversations[0].Value }, transaction);
            await inboxes.KeepAsync(world.Desk, CancellationToken.None);
            Assert.That(await Slices.ScalarAsync<bool>(IsKeptSql, new { UserId = world.Desk.Value }), Is.False);
            await CompareAsync(world.Desk, InboxFilter.All, limit: 2);
        }

        await inboxes.TendAsync(CancellationToken.None);

        Assert.That(await Slices.ScalarAsync<bool>(IsKeptSql, new { UserId = world.Desk.Value }), Is.True);
        await CompareAsync(world.Desk, InboxFilter.All, limit: 2);
    }

    [Test]
    public async Task Who_is_coming_back_while_places_begin_to_be_kept_has_one()
    {
        var (owner, desk) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.GroupAsync(owner, desk);
        await Slices.SendAsync(new RemoveParticipant(new Actor(owner), id, desk));
        await using var connection = await Slices.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync(
            "SELECT id FROM users WHERE id = @UserId FOR UPDATE; INSERT INTO large_inboxes (user_id, started_at) VALUES (@UserId, now())",
            new { UserId = desk.Value }, transaction);

        var coming = Slices.SendAsync(new AddParticipants(Actor.Service, id, [desk], null));
        await Slices.UntilAsync(WaitsSql);
        await transaction.CommitAsync();
        await coming;

        Assert.That(await Slices.ScalarAsync<long>(WrongPlacesSql, new { UserId = desk.Value }), Is.Zero);
    }

    [Test]
    public async Task Who_was_coming_when_places_began_to_be_kept_is_given_one()
    {
        var (owner, desk) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.GroupAsync(owner, await Slices.UserAsync());
        var keeping = Task.CompletedTask;

        await Slices.SendAsync(
            new AddParticipants(Actor.Service, id, [desk], null),
            async () =>
            {
                keeping = Task.Run(() => inboxes.KeepAsync(desk, CancellationToken.None));
                await Slices.UntilAsync(WaitsSql);
            });
        await keeping;
        await inboxes.KeepAsync(desk, CancellationToken.None);

        Assert.That(await Slices.ScalarAsync<bool>(IsKeptSql, new { UserId = desk.Value }), Is.True);
        Assert.That(await Slices.ScalarAsync<long>(WrongPlacesSql, new { UserId = desk.Value }), Is.Zero);
    }

    [Test]
    public async Task A_place_that_was_not_carried_along_is_mended()
    {
        var world = await StartAsync(others: 2);
        await inboxes.KeepAsync(world.Desk, CancellationToken.None);
        await Slices.ExecuteAsync(
            """
            UPDATE inbox_places SET activity_at = activity_at - interval '1 hour' WHERE user_id = @UserId AND conversation_id = @Moved;
            DELETE FROM inbox_places WHERE user_id = @UserId AND conversation_id = @Lost
            """,
            new { UserId = world.Desk.Value, Moved = world.Conversations[0].Value, Lost = world.Conversations[1].Value });

        await inboxes.TendAsync(CancellationToken.None);

        Assert.That(await Slices.ScalarAsync<long>(WrongPlacesSql, new { UserId = world.Desk.Value }), Is.Zero);
    }

    [Test]
    public async Task A_full_page_of_one_day_is_a_suspicion()
    {
        var (desk, notes) = (await Slices.UserAsync(), Slices.Get<LargeInboxCache>());
        var today = await FillAsync(desk, await Slices.UserAsync(), 3, "now()");
        await notes.WaitAsync(TimeSpan.Zero, CancellationToken.None);
        await Slices.SendAsync(Page(desk, null, limit: 3));
        Assert.That(await notes.WaitAsync(TimeSpan.Zero, CancellationToken.None), Is.Empty);

        await Slices.SendAsync(Page(desk, null));

        Assert.That(await notes.WaitAsync(TimeSpan.Zero, CancellationToken.None), Is.EqualTo(new[] { (desk, today) }));
    }

    [Test]
    public async Task No_index_holds_what_a_message_or_a_read_writes_of_a_member()
    {
        var written = await Slices.ScalarAsync<long>(
            """
            SELECT count(*)
            FROM pg_index
            WHERE indrelid IN ('participants'::regclass, 'conversations'::regclass)
                AND pg_get_indexdef(indexrelid) ~ 'last_read|last_deliv|last_sent|last_activity|last_event|last_seq|event_no|activity_at'
            """);

        Assert.That(written, Is.Zero);
    }

    private static ListInbox Page(UserId user, string? cursor, int limit = 2, InboxFilter filter = InboxFilter.All) =>
        new(new Actor(user), filter, null, null, null, cursor, limit);

    // A desk that is in groups of the others, and that others have opened directs with, not all of which hold a message.
    private async Task<World> StartAsync(int others)
    {
        var (desk, people) = (await Slices.UserAsync("desk"), await Slices.UsersAsync(others));
        var world = new World(desk, people, []);
        foreach (var owner in people.Concat(people).Take(4))
            world.Conversations.Add(await Slices.GroupAsync(owner, [desk, .. people.Where(user => user != owner)]));
        foreach (var user in people)
            world.Conversations.Add(await Slices.DirectAsync(user, desk));
        foreach (var id in world.Conversations.Take(4))
            await Slices.TextAsync(people[0], id);
        return world;
    }

    // What one of the others does to the desk's inbox, or the desk itself; whatever is refused changes nothing.
    private async Task ActAsync(World world, int who, IEnumerable<int> steps)
    {
        var (actor, desk) = (new Actor(world.Others[who]), new Actor(world.Desk));
        foreach (var (step, number) in steps.Index())
        {
            var random = new Random(number);
            var id = world.Conversations[random.Next(world.Conversations.Count)];
            await CodeAsync(() => random.Next(14) switch
            {
                <= 4 => Slices.SendAsync(new SendMessage(actor, id, new MessageContent(Text: "hello"))),
                5 => Slices.SendAsync(new SendMessage(desk, id, new MessageContent(Text: "hello"))),
                6 => Slices.SendAsync(new RemoveParticipant(Actor.Service, id, world.Desk)),
                7 or 8 => Slices.SendAsync(new AddParticipants(Actor.Service, id, [world.Desk], null)),
                9 => Slices.GroupAsync(world.Others[who], world.Desk),
                10 => Slices.SendAsync(new UpdateSettings(desk, id, new SettingsChange { Archived = new(random.Next(2) == 0) })),
                11 => Slices.SendAsync(new UpdateSettings(desk, id, new SettingsChange { Starred = new(random.Next(2) == 0) })),
                12 => Slices.SendAsync(new ClearHistory(desk, id, LeavesInbox: true)),
                _ when step > 30 => Slices.SendAsync(new DeleteConversation(Actor.Service, id)),
                _ => Slices.SendAsync(new LeaveConversation(desk, id)),
            });
        }
    }

    // How often it was looked.
    private async Task<int> WatchAsync(UserId user, Random random, CancellationToken until)
    {
        var looks = 0;
        for (; !until.IsCancellationRequested; looks++)
            await CompareAsync(user, (InboxFilter)random.Next(4), limit: 1 + random.Next(5));
        return looks;
    }

    // All pages, one after the other, beside the full sort, of one moment; gives how many conversations they have.
    private Task<int> CompareAsync(UserId user, InboxFilter filter, int limit) => Slices.SqlAsync(async session =>
    {
        await session.BeginSnapshotAsync(CancellationToken.None);
        var views = new ConversationViewStore(session, new PolicySettings());
        var handler = new ListInboxHandler(session, views, Slices.Get<LargeInboxCache>());
        var read = new List<Guid>();
        Page<ConversationView>? page = null;
        do
        {
            page = await handler.Handle(Page(user, page?.NextCursor, limit, filter), CancellationToken.None);
            read.AddRange(page.Items.Select(c => c.Id.Value));
        }
        while (page.NextCursor is not null);

        Assert.That(read, Is.EqualTo(await SortedAsync(session, user, filter)), $"{filter}, {limit} a page");
        return read.Count;
    });

    private Task<List<Guid>> SortedAsync(UserId user, InboxFilter filter) =>
        Slices.SqlAsync(session => SortedAsync(session, user, filter));

    private static Task<List<Guid>> SortedAsync(DbSession session, UserId user, InboxFilter filter) =>
        session.QueryAsync<Guid>(SortedSql, new { UserId = user.Value, Filter = filter.ToString() }, CancellationToken.None);

    // Groups of two, each with one message; gives the day of the last one.
    private Task<LocalDate> FillAsync(UserId user, UserId other, int count, string at) => Slices.SqlAsync(async session =>
    {
        await session.BeginAsync(CancellationToken.None);
        var day = await session.QuerySingleAsync<DateOnly>(
            $"""
            WITH c AS (
                INSERT INTO conversations (id, type, participant_count, created_at, updated_at, last_event_at, last_activity_at,
                    last_activity_day, last_seq)
                SELECT gen_random_uuid(), 'group', 2, at, at, at, at, (at AT TIME ZONE 'UTC')::date, 1
                FROM generate_series(1, @Count) AS n, LATERAL (SELECT {at} AS at) AS t
                RETURNING id, last_activity_at, last_activity_day
            ),
            p AS (
                INSERT INTO participants (conversation_id, user_id, role, joined_at, activity_day, last_read_seq, last_delivered_seq)
                SELECT c.id, u.id, 'member', c.last_activity_at, c.last_activity_day, 1, 1
                FROM c, unnest(@Users::text[]) AS u (id)
            )
            SELECT max(last_activity_day)
            FROM c
            """,
            new { Count = count, Users = new[] { user.Value, other.Value } },
            CancellationToken.None);
        await session.CommitAsync(CancellationToken.None);
        return LocalDate.FromDateOnly(day);
    });

    private sealed record World(UserId Desk, IReadOnlyList<UserId> Others, List<ConversationId> Conversations);
}
