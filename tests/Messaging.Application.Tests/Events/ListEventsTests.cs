using System.Globalization;
using System.Text.Json.Nodes;
using Dapper;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Database;
using Messaging.Testing;
using Npgsql;

namespace Messaging.Application.Tests.Events;

public sealed class ListEventsTests
{
    private static readonly UserId Ada = new("ada");

    private FeedDatabase feed = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => feed = await FeedDatabase.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await feed.DisposeAsync();

    [Test]
    public async Task One_hears_the_events_of_ones_conversations_and_ones_own_in_the_order_of_the_feed()
    {
        var (mine, strangers) = (await feed.ConversationAsync("ada", "bob"), await feed.ConversationAsync("bob"));
        var since = await SinceAsync();
        await feed.AppendAsync(mine);
        await feed.AppendAsync(strangers);
        await feed.AppendForAsync("ada");
        await feed.AppendForAsync("bob");
        await feed.AppendAsync(mine);
        await feed.DrainAsync();

        var page = await ListAsync(since);

        Assert.That(page.Events.Select(e => e.Type), Is.EqualTo((string[])["test:event", "test:own", "test:event"]));
        Assert.That(page.Events.Select(e => Position(e.Id)), Is.Ordered.Ascending);
        Assert.That(page.HasMore, Is.False);
    }

    [Test]
    public async Task Who_comes_later_is_not_told_that_the_conversation_was_made()
    {
        var (since, slices) = (await SinceAsync(), feed.Slices);
        var (owner, later) = (await slices.UserAsync(), await slices.UserAsync());
        var group = await slices.GroupAsync(owner, await slices.UserAsync());
        await slices.SendAsync(new AddParticipants(new Actor(owner), group, [later], Role: null));
        await feed.DrainAsync();

        var heard = await slices.SendAsync(new ListEvents(new Actor(later), since.ToString(), 100));
        var owners = await slices.SendAsync(new ListEvents(new Actor(owner), since.ToString(), 100));

        Assert.That(heard.Events.Select(e => e.Type),
            Is.EqualTo((string[])["message:new", "participant:added", "conversation:created", "message:new"]));
        Assert.That(owners.Events[0].Type, Is.EqualTo("conversation:created"));
    }

    [Test]
    public async Task Comings_and_goings_that_an_earlier_release_wrote_are_told_without_how_many_take_part()
    {
        var (since, slices) = (await SinceAsync(), feed.Slices);
        var (owner, going) = (await slices.UserAsync(), await slices.UserAsync());
        var group = await slices.GroupAsync(owner, going);
        await slices.SendAsync(new AddParticipants(new Actor(owner), group, [await slices.UserAsync()], Role: null));
        await slices.SendAsync(new RemoveParticipant(new Actor(owner), group, going));
        await slices.ExecuteAsync(
            "UPDATE outbox SET payload = payload - 'participantCount' - 'version' WHERE conversation_id = @Id", new { Id = group.Value });
        await feed.DrainAsync();

        var heard = await slices.SendAsync(new ListEvents(new Actor(owner), since.ToString(), 100));

        var told = heard.Events.Where(e => e.Type.StartsWith("participant:", StringComparison.Ordinal))
            .Select(e => JsonNode.Parse(e.Data.Value)!);
        Assert.That(
            told.Select(data => (data["participant"] is not null, data["participantCount"], data["version"])),
            Is.EqualTo(new (bool, JsonNode?, JsonNode?)[] { (true, null, null), (false, null, null) }));
    }

    [Test]
    public async Task Pages_follow_on_each_other_and_say_when_there_is_more()
    {
        var mine = await feed.ConversationAsync("ada");
        var since = await SinceAsync();
        for (var i = 0; i < 6; i++)
            await feed.AppendAsync(mine);
        await feed.DrainAsync();

        var first = await ListAsync(since, 4);
        var second = await ListAsync(first.Cursor, 2);

        Assert.That((first.Events.Count, first.HasMore), Is.EqualTo((4, true)));
        Assert.That((second.Events.Count, second.HasMore), Is.EqualTo((2, false)));
        Assert.That(first.Events.Concat(second.Events).Select(e => e.Id).Distinct().Count(), Is.EqualTo(6));
    }

    [Test]
    public async Task The_cursor_moves_on_past_what_concerns_others()
    {
        var since = await SinceAsync();
        await feed.AppendForAsync("bob");
        await feed.DrainAsync();

        var page = await ListAsync(since);

        Assert.That((page.Events.Count, page.HasMore), Is.EqualTo((0, false)));
        Assert.That(page.Cursor.Position, Is.GreaterThan(since.Position));
    }

    [Test]
    public async Task Who_was_removed_hears_nothing_of_the_conversation_even_of_before()
    {
        var former = await feed.ConversationAsync("ada", "bob");
        var since = await SinceAsync();
        await feed.AppendAsync(former);
        await feed.DrainAsync();
        var before = (await ListAsync(since)).Events.Count;

        await feed.Slices.ExecuteAsync(
            "UPDATE participants SET left_at = now() WHERE conversation_id = @Id AND user_id = 'ada'", new { Id = former });

        Assert.That((before, (await ListAsync(since)).Events.Count), Is.EqualTo((1, 0)));
    }

    [Test]
    public async Task The_service_hears_everything()
    {
        var strangers = await feed.ConversationAsync("bob");
        var since = await SinceAsync();
        await feed.AppendAsync(strangers);
        await feed.AppendForAsync("ada");
        await feed.DrainAsync();

        var page = await feed.Slices.SendAsync(new ListEvents(Actor.Service, since.ToString(), 100));

        Assert.That(page.Events.Select(e => e.Type), Is.EqualTo((string[])["test:event", "test:own"]));
    }

    [Test]
    public async Task Days_of_silence_between_two_windows_of_the_feed_are_crossed()
    {
        var mine = await feed.ConversationAsync("ada");
        var since = await SinceAsync();
        await feed.Slices.ExecuteAsync("UPDATE feed_state SET last_position = last_position + 250000");
        await feed.AppendAsync(mine);
        await feed.DrainAsync();

        var page = await ListAsync(since, 1);

        Assert.That(page.Events.Select(e => e.ConversationId), Is.EqualTo(new[] { new ConversationId(mine) }));
        Assert.That(page.HasMore, Is.False);
    }

    [TestCase(2)]
    [TestCase(5)]
    [TestCase(100)]
    public async Task Conversations_are_told_in_the_order_of_the_feed_whatever_the_page_holds(int limit)
    {
        var mine = await Task.WhenAll(Enumerable.Range(0, 7).Select(_ => feed.ConversationAsync("ada")));
        var strangers = await feed.ConversationAsync("bob");
        var since = await SinceAsync();
        // Of two of them the user has cleared away the beginning: what is passed over counts for none of the others.
        foreach (var (id, cleared) in ((Guid, int)[])[(mine[0], 20), (mine[1], 40)])
        {
            await feed.Slices.ExecuteAsync(
                "UPDATE participants SET cleared_seq = @Cleared WHERE conversation_id = @Id", new { Id = id, Cleared = cleared });
        }
        // Some conversations have much in few places, others little all over.
        await WriteAsync(
            """
            SELECT n, CASE WHEN n % 11 = 0 THEN @Strangers WHEN n % 5 = 0 THEN NULL WHEN n < 60 THEN (@Mine)[1 + n % 2]
                ELSE (@Mine)[1 + (n * n / 7) % 7] END, n, CASE WHEN n % 11 <> 0 AND n % 5 = 0 THEN 'ada' END
            FROM generate_series(1, 150) AS n
            """,
            new { Mine = mine, Strangers = strangers });

        var (told, cursor, more) = (new List<long>(), since, true);
        while (more)
        {
            var page = await ListAsync(cursor, limit);
            told.AddRange(page.Events.Select(e => Position(e.Id) - since.Position));
            Assert.That(page.Events, page.HasMore ? Has.Count.EqualTo(limit) : Has.Count.AtMost(limit));
            (cursor, more) = (page.Cursor, page.HasMore);
        }

        Assert.That(
            told, Is.EqualTo(Enumerable.Range(1, 150).Where(n => n % 11 != 0 && (n % 5 == 0 || n > (n % 2 == 0 ? 20 : 40)))));
    }

    [Test]
    public async Task An_answer_that_has_passed_over_many_events_without_telling_any_says_how_far_it_came()
    {
        var busy = await feed.ConversationAsync("ada");
        await feed.Slices.ExecuteAsync("UPDATE participants SET cleared_seq = 40000 WHERE conversation_id = @Id", new { Id = busy });
        var since = await SinceAsync();
        await WriteAsync("SELECT n, @Id, n, NULL FROM generate_series(1, 40001) AS n", new { Id = busy });

        var first = await ListAsync(since);
        var (last, pages) = (first, 1);
        for (; last.HasMore; pages++)
            last = await ListAsync(last.Cursor);

        Assert.That((first.Events.Count, first.HasMore), Is.EqualTo((0, true)));
        Assert.That(first.Cursor.Position, Is.GreaterThan(since.Position));
        Assert.That(last.Events.Select(e => e.Seq), Is.EqualTo((long?[])[40_001]));
        Assert.That(pages, Is.LessThan(10));
    }

    [Test]
    public async Task The_last_day_of_each_conversation_is_kept_whoever_writes_the_feed_and_written_once_a_day()
    {
        var (one, two) = (await feed.ConversationAsync("ada"), await feed.ConversationAsync("ada"));
        await feed.AppendAsync(one);
        await feed.DrainAsync();
        var written = await RowsAsync();
        await feed.AppendAsync(two);
        await feed.AppendAsync(one);
        await feed.Slices.ExecuteAsync(
            "UPDATE outbox SET occurred_at = occurred_at - interval '1 day' WHERE conversation_id = @Two", new { Two = two });
        await feed.DrainAsync();
        await WriteAsync("SELECT 1, @Two::uuid, 1, NULL UNION ALL SELECT 2, @One, 1, 'ada'", new { One = one, Two = two });

        Assert.That(await RowsAsync(), Is.EqualTo(written));
        Assert.That(
            await feed.CountAsync(
                """
                (
                    SELECT conversation_id, max(occurred_at AT TIME ZONE 'UTC')::date AS day
                    FROM feed
                    WHERE user_id IS NULL AND conversation_id IS NOT NULL
                    GROUP BY conversation_id
                ) AS told
                FULL JOIN feed_ends ends USING (conversation_id)
                WHERE told.day IS DISTINCT FROM ends.day
                """),
            Is.Zero);

        Task<string> RowsAsync() => feed.Slices.ScalarAsync<string>(
            "SELECT string_agg(concat(ctid, xmin), ' ') FROM feed_ends WHERE conversation_id = @One", new { One = one });
    }

    // Each move leaves a version of the row behind, and nobody may remove it while a dump or the like has its snapshot.
    [Test]
    public async Task The_end_of_the_feed_is_found_at_once_however_often_it_moved_while_a_snapshot_is_open()
    {
        await using var dump = await feed.Direct.Value.OpenConnectionAsync();
        await using var snapshot = await dump.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await dump.ExecuteAsync("SELECT 1", transaction: snapshot);
        var moves = string.Concat(Enumerable.Repeat("UPDATE feed_state SET last_position = last_position + 1;", 100));
        for (var i = 0; i < 1_000; i += 100)
            await feed.Slices.ExecuteAsync(moves);
        await using var reader = await feed.Direct.Value.OpenConnectionAsync();

        var plan = await reader.QueryAsync<string>(
            $"SET enable_seqscan = off; EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {EventStore.StateSql}");

        var read = plan.First(line => line.Contains("Buffers:", StringComparison.Ordinal)).Split("hit=")[1].Split(' ')[0];
        Assert.That(int.Parse(read, CultureInfo.InvariantCulture), Is.LessThan(6), string.Join('\n', plan));
    }

    [Test]
    public async Task Pages_of_any_size_are_the_whole_feed_without_what_does_not_concern_the_reader()
    {
        await feed.DrainAsync();
        await using var readers = NpgsqlDataSource.Create(ConnectionStrings.ForQueries(feed.Slices.ConnectionString));

        await FeedProgram.Programs.CheckAsync(25, async program =>
        {
            var (reader, since) = (new UserId($"reader-{Guid.NewGuid():N}"), await feed.EndAsync());
            await program.WriteAsync(feed, reader, since.Position);
            await using var session = new DbSession(readers, new ReadDataSource(readers), new SearchDataSource(readers));
            var store = new EventStore(session, new EventRenderer([]));
            var end = await feed.EndAsync();

            foreach (var after in program.Cursors)
            {
                var (told, page) = (new List<long>(), new EventPage([], since with { Position = since.Position + after }, HasMore: true));
                while (page.HasMore)
                {
                    page = await store.ReadAsync(new Actor(reader), page.Cursor, program.Limit, CancellationToken.None);
                    told.AddRange(page.Events.Select(e => Position(e.Id) - since.Position));
                }
                Assert.That(told, Is.EqualTo(program.ToldAfter(after)));
                Assert.That(page.Cursor, Is.EqualTo(end));
            }
        });
    }

    [TestCase(-40)]
    [TestCase(-3)]
    [TestCase(1)]
    [TestCase(30)]
    public async Task An_event_is_found_whatever_the_clock_said(int days)
    {
        await feed.Slices.ExecuteAsync("SELECT create_feed_partition(current_date + @Days)", new { Days = days });
        var mine = await feed.ConversationAsync("ada");
        var since = await SinceAsync();
        await feed.AppendAsync(mine);
        await feed.Slices.ExecuteAsync("UPDATE outbox SET occurred_at = occurred_at + make_interval(days => @Days)", new { Days = days });
        await feed.AppendForAsync("ada");
        await feed.DrainAsync();

        Assert.That((await ListAsync(since)).Events, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_cursor_of_another_epoch_ahead_of_the_feed_or_older_than_what_is_kept_is_expired()
    {
        var end = await SinceAsync();
        await feed.AppendForAsync("ada");
        await feed.DrainAsync();

        Assert.That(await RefusalAsync(end with { Epoch = end.Epoch ^ 1 }), Is.EqualTo(ProblemCodes.CursorExpired));
        Assert.That(await RefusalAsync(end with { Position = end.Position + 2 }), Is.EqualTo(ProblemCodes.CursorExpired));
        await feed.Slices.ExecuteAsync("UPDATE feed_state SET expired_position = @Position", new { Position = end.Position + 1 });
        Assert.That(await RefusalAsync(end), Is.EqualTo(ProblemCodes.CursorExpired));
        Assert.That((await ListAsync(end with { Position = end.Position + 1 })).Events, Is.Empty);
    }

    [Test]
    public async Task Who_is_put_out_between_the_rows_and_what_they_tell_is_told_nothing_of_after()
    {
        var mine = await feed.ConversationAsync("ada");
        await feed.Slices.ExecuteAsync("UPDATE conversations SET name = 'before' WHERE id = @Id", new { Id = mine });
        var since = await SinceAsync();
        await feed.AppendAsync(mine);
        await feed.DrainAsync();
        await using var readers = NpgsqlDataSource.Create(ConnectionStrings.ForQueries(feed.Slices.ConnectionString));
        await using var session = new DbSession(readers, new ReadDataSource(readers), new SearchDataSource(readers));

        var page = await new EventStore(session, new EventRenderer([new PutOut(feed)])).ReadAsync(
            new Actor(Ada), since, 100, CancellationToken.None);

        Assert.That(page.Events.Select(e => e.Data.Value), Is.EqualTo((string[])["""{"name":"before"}"""]));
    }

    // The reader's snapshot is older than the drop's commit, and the partitions that it opens are younger: it sees neither the rows nor
    // that they expired.
    [Test]
    public async Task A_day_of_the_feed_that_is_dropped_while_one_reads_is_expired_and_not_silently_missing()
    {
        var since = await SinceAsync();
        await feed.Slices.ExecuteAsync("SELECT create_feed_partition(current_date - 30)");
        await feed.AppendForAsync("ada");
        await feed.Slices.ExecuteAsync("UPDATE outbox SET occurred_at = occurred_at - interval '30 days'");
        await feed.DrainAsync();

        await using var connection = await feed.Direct.Value.OpenConnectionAsync();
        await using var drop = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("LOCK TABLE feed IN ACCESS EXCLUSIVE MODE", transaction: drop);
        await using var readers = NpgsqlDataSource.Create(ConnectionStrings.ForQueries(feed.Slices.ConnectionString));
        await using var session = new DbSession(readers, new ReadDataSource(readers), new SearchDataSource(readers));
        var reading = new EventStore(session, new EventRenderer([])).ReadAsync(new Actor(Ada), since, 100, CancellationToken.None);
        await feed.Slices.UntilAsync("SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'feed'::regclass AND NOT granted)");
        await connection.ExecuteAsync(
            """
            UPDATE feed_state SET expired_position = last_position;
            DO $$ BEGIN EXECUTE 'DROP TABLE feed_' || to_char(now() - interval '30 days', 'YYYY_MM_DD'); END $$
            """,
            transaction: drop);
        await drop.CommitAsync();

        var refusal = await Assert.ThrowsAsync<RuleException>(() => reading);
        Assert.That(refusal!.Problem.Code, Is.EqualTo(ProblemCodes.CursorExpired));
    }

    [TestCase("")]
    [TestCase("7")]
    [TestCase("0000000g-1")]
    [TestCase("00000001-")]
    [TestCase("00000001--1")]
    [TestCase("00000001-01")]
    [TestCase("0000000A-1")]
    [TestCase("00000001-99999999999999999999")]
    public async Task A_malformed_cursor_is_refused(string text)
    {
        var refusal = await Assert.ThrowsAsync<RuleException>(() => feed.Slices.SendAsync(new ListEvents(new Actor(Ada), text, 10)));

        Assert.That((refusal!.Problem.Code, refusal.Problem.Member), Is.EqualTo((ProblemCodes.InvalidRequest, "since")));
    }

    [TestCase(0)]
    [TestCase(101)]
    public async Task A_page_has_1_to_100_events(int limit) =>
        await Assert.ThrowsAsync<RuleException>(() => feed.Slices.SendAsync(new ListEvents(new Actor(Ada), "00000001-1", limit)));

    /// <summary>Events past the outbox, under the next positions: rows of a number, the conversation, the seq and the user.</summary>
    private Task WriteAsync(string rows, object values) => feed.Slices.ExecuteAsync(
        $"""
        WITH state AS (
            UPDATE feed_state SET last_position = last_position + added.count
            FROM (SELECT count(*) AS count FROM ({rows}) AS r) AS added
            RETURNING last_position - added.count AS before
        )
        INSERT INTO feed (position, occurred_at, conversation_id, seq, user_id, type, payload)
        SELECT before + added.n, now(), added.conversation_id, added.seq, added.user_id, 'test:event', NULL
        FROM ({rows}) AS added (n, conversation_id, seq, user_id)
        CROSS JOIN state
        """,
        values);

    private async Task<FeedCursor> SinceAsync()
    {
        await feed.DrainAsync();
        return await feed.EndAsync();
    }

    private Task<EventPage> ListAsync(FeedCursor since, int limit = 100) =>
        feed.Slices.SendAsync(new ListEvents(new Actor(Ada), since.ToString(), limit));

    private async Task<string> RefusalAsync(FeedCursor since) =>
        (await Assert.ThrowsAsync<RuleException>(() => ListAsync(since)))!.Problem.Code;

    private static long Position(string id) => FeedCursor.Parse(id, "").Position;

    /// <summary>Tells a conversation's name, before which everybody is put out and the name becomes another.</summary>
    private sealed class PutOut(FeedDatabase feed) : IEventSource
    {
        public IReadOnlyCollection<string> Types { get; } = ["test:event"];

        public Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader)
        {
            var id = rows[0].ConversationId!.Value;
            using var other = feed.Direct.Value.CreateCommand(
                """
                UPDATE participants SET left_at = now() WHERE conversation_id = @Id;
                UPDATE conversations SET name = 'after' WHERE id = @Id
                """);
            other.Parameters.AddWithValue("Id", id);
            other.ExecuteNonQuery();
            return new("SELECT name FROM conversations WHERE id = @Told", new { Told = id }, async grid =>
            {
                var name = await grid.ReadSingleAsync<string>();
                return _ => new { Name = name };
            });
        }
    }
}
