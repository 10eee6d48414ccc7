using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Participants;
using Messaging.Application.Posts;
using Messaging.Application.Tests.Events;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Posts;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Messaging.Application.Tests.Posts;

/// <summary>How posts are sent, many at once and in order, and when another node sends them than before.</summary>
public sealed class PostWorkerTests
{
    private const string PostSql =
        """
        INSERT INTO host_posts (posted_by, sender_id, conversation_id, recipient_id, message)
        VALUES ('host', @Sender, @Id, @Recipient, jsonb_build_object('text', @Text, 'clientMessageId', @Key))
        RETURNING id, sender_id, conversation_id, recipient_id, context, message
        """;

    private Slices slices = null!;
    private DirectDataSource direct = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        slices = await Slices.StartAsync();
        direct = new DirectDataSource(NpgsqlDataSource.Create(slices.ConnectionString));
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await direct.DisposeAsync();
        await slices.DisposeAsync();
    }

    // The next node finds the sender gone.
    [TestCase(null)]
    [TestCase("order-4711")]
    public async Task A_post_that_was_sent_before_its_sender_was_removed_is_recorded_as_sent(string? key)
    {
        var users = await slices.UsersAsync(2);
        var id = await slices.GroupAsync(users[0], users[1]);
        var post = await PostAsync(users[1], id, "shipped", key);
        var sent = await slices.SendAsync(new SendPost(post));
        var unsent = await PostAsync(users[1], id, "another text", key);
        await slices.SendAsync(new RemoveParticipant(new Actor(users[0]), id, users[1]));

        await RunUntilDoneAsync();

        Assert.That(await OutcomeAsync(post), Is.EqualTo($"{sent.Id} told 0 times"));
        Assert.That(await OutcomeAsync(unsent), Is.EqualTo("not-found told 1 times"));
    }

    [Test]
    public async Task A_post_that_was_sent_before_its_sender_was_blocked_is_recorded_as_sent()
    {
        var users = await slices.UsersAsync(2);
        var post = await PostAsync(users[0], id: null, "shipped", key: null, users[1]);
        var sent = await slices.SendAsync(new SendPost(post));
        await slices.SendAsync(new BlockUser(new Actor(users[1]), users[0]));

        await RunUntilDoneAsync();

        Assert.That(await OutcomeAsync(post), Is.EqualTo($"{sent.Id} told 0 times"));
    }

    [Test]
    public async Task Of_posts_to_many_conversations_as_many_are_read_as_can_be_sent_at_once()
    {
        var users = await slices.UsersAsync(2);
        var ids = new List<ConversationId>();
        for (var i = 0; i < 40; i++)
        {
            ids.Add(await slices.GroupAsync(users[0], users[1]));
            await PostAsync(users[0], ids[^1], "shipped", key: null);
        }
        var scopes = new WatchedScopes(slices.Get<IServiceScopeFactory>());
        await using var running = await slices.SqlAsync(async session =>
        {
            await session.BeginAsync(CancellationToken.None);
            await session.ExecuteAsync(
                "SELECT FROM conversations WHERE id = ANY (@Ids) FOR UPDATE", new { Ids = ids.ConvertAll(id => id.Value) },
                CancellationToken.None);
            var worker = await Running.StartAsync(new PostWorker(direct, scopes, NullLogger<PostWorker>.Instance));
            await Eventually.HoldsAsync(() => scopes.Open == 8, "eight are being sent");
            return worker;
        });
        await UntilDoneAsync();

        // And one that records.
        Assert.That(scopes.MostOpen, Is.InRange(8, 9));
    }

    // Reading fails four times, and then the first try to send.
    [Test]
    public async Task A_post_that_could_not_be_read_for_a_while_is_tried_as_often_as_any_other()
    {
        var users = await slices.UsersAsync(2);
        var post = await PostAsync(users[0], await slices.GroupAsync(users[0], users[1]), "shipped", key: null);
        var scopes = new WatchedScopes(slices.Get<IServiceScopeFactory>())
        {
            Fail = scope => scope <= 4 ? new TimeoutException() : scope == 6 ? new InvalidOperationException() : null,
        };

        await using var running = await Running.StartAsync(new PostWorker(direct, scopes, NullLogger<PostWorker>.Instance));
        await UntilDoneAsync();

        Assert.That(await OutcomeAsync(post), Does.EndWith(" told 0 times").And.Not.StartWith("internal"));
    }

    [Test]
    public void Many_posts_that_are_for_no_conversation_wait_in_the_table()
    {
        using var lines = new PostLines(slices.Get<IServiceScopeFactory>(), NullLogger.Instance, new CancellationToken(canceled: true));
        var nowhere = new JsonText("""{"type": null, "id": "4711"}""");

        lines.Add(
            [
                .. Enumerable.Range(0, 50_000).Select(_ => new WaitingPost
                {
                    Id = Guid.NewGuid(), SenderId = new UserId("ada"), RecipientId = new UserId("bob"), Context = nowhere,
                }),
            ],
            new Dictionary<string, ConversationId>());

        Assert.That(lines.HasRoom, Is.False);
    }

    [Test]
    public void More_than_a_million_posts_wait_in_the_table_though_all_are_for_one_conversation()
    {
        using var lines = new PostLines(slices.Get<IServiceScopeFactory>(), NullLogger.Instance, new CancellationToken(canceled: true));
        var post = new WaitingPost { Id = Guid.NewGuid(), ConversationId = new ConversationId(Guid.NewGuid()) };

        lines.Add([.. Enumerable.Repeat(post, 999_999)], new Dictionary<string, ConversationId>());
        var before = lines.HasRoom;
        lines.Add([post], new Dictionary<string, ConversationId>());

        Assert.That((before, lines.HasRoom), Is.EqualTo((true, false)));
    }

    [Test]
    public async Task Posts_to_one_user_keep_their_order_where_the_conversation_was_deleted_and_opened_again_meanwhile()
    {
        var users = await slices.UsersAsync(2);
        var old = await slices.DirectAsync(users[1], users[0]);
        var scopes = new WatchedScopes(slices.Get<IServiceScopeFactory>());
        // After one to read them.
        scopes.HoldThe(2);
        using var lines = new PostLines(scopes, NullLogger.Instance, CancellationToken.None);
        var posts = new List<Guid>();
        for (var i = 0; i < 20; i++)
            posts.Add(await AddAsync(id: null, users[1], old));
        await Eventually.HoldsAsync(() => scopes.IsHeld, "the first is being sent");
        await slices.SendAsync(new DeleteConversation(Actor.Service, old));
        var again = await slices.DirectAsync(users[1], users[0]);

        posts.Add(await AddAsync(again, recipient: null, again));
        scopes.Release();
        var outcomes = new List<PostOutcome>();
        while (outcomes.Count < posts.Count)
            outcomes.Add(await lines.Outcomes.ReadAsync());
        // Nor does one that comes for the former one wait for those of the line that had it.
        await AddAsync(old, recipient: null, again);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var late = await lines.Outcomes.ReadAsync(limit.Token);
        await slices.ExecuteAsync("DELETE FROM host_posts WHERE done_at IS NULL");

        Assert.That(late.Refusal, Is.Not.Null);
        Assert.That(outcomes.Select(outcome => outcome.PostId), Is.EqualTo(posts));
        Assert.That(outcomes.Select(outcome => outcome.Message?.ConversationId), Is.All.EqualTo(again));

        async Task<Guid> AddAsync(ConversationId? id, UserId? recipient, ConversationId direct)
        {
            var post = await PostAsync(users[0], id, "shipped", key: null, recipient);
            var pair = (post with { ConversationId = null, RecipientId = users[1] }).Pair()!;
            lines.Add([post], new Dictionary<string, ConversationId> { [pair] = direct });
            return post.Id;
        }
    }

    // Eight conversations have all places until the ninth is there, too.
    [Test]
    public async Task A_post_does_not_wait_until_all_of_another_conversation_are_sent()
    {
        var users = await slices.UsersAsync(2);
        var lasts = new List<Guid>();
        var many = new List<WaitingPost>();
        for (var i = 0; i < 8; i++)
        {
            var id = await slices.GroupAsync(users[0], users[1]);
            for (var no = 0; no < 17; no++)
                many.Add(await PostAsync(users[0], id, "shipped", key: null));
            lasts.Add(many[^1].Id);
        }
        var late = await PostAsync(users[0], await slices.GroupAsync(users[0], users[1]), "late", key: null);
        var scopes = new WatchedScopes(slices.Get<IServiceScopeFactory>());
        using var lines = new PostLines(scopes, NullLogger.Instance, CancellationToken.None);

        await slices.SqlAsync(async session =>
        {
            await session.BeginAsync(CancellationToken.None);
            await session.ExecuteAsync("SELECT FROM conversations FOR UPDATE", parameters: null, CancellationToken.None);
            lines.Add(many, new Dictionary<string, ConversationId>());
            await Eventually.HoldsAsync(() => scopes.Open == 8, "all places are taken");
            lines.Add([late], new Dictionary<string, ConversationId>());
            return late;
        });

        var sent = new List<Guid>();
        while (sent.Count <= many.Count)
            sent.Add((await lines.Outcomes.ReadAsync()).PostId);
        await slices.ExecuteAsync("DELETE FROM host_posts WHERE done_at IS NULL");
        Assert.That(sent.IndexOf(late.Id), Is.LessThan(lasts.Min(sent.IndexOf)));
    }

    [Test]
    public async Task A_post_to_a_direct_conversation_waits_for_those_that_were_made_for_its_users_before_it_was_there()
    {
        var users = await slices.UsersAsync(2);
        var group = await slices.GroupAsync(users[0], users[1]);
        var scopes = new WatchedScopes(slices.Get<IServiceScopeFactory>());
        scopes.HoldThe(1);
        await using var running = await Running.StartAsync(new PostWorker(direct, scopes, NullLogger<PostWorker>.Instance));
        await PostAsync(users[0], id: null, "first", key: null, users[1]);
        await Eventually.HoldsAsync(() => scopes.IsHeld, "the first is being sent");
        var pair = await slices.DirectAsync(users[1], users[0]);
        await PostAsync(users[0], pair, "second", key: null);
        var other = await PostAsync(users[0], group, "to others", key: null);
        await slices.UntilAsync($"SELECT done_at IS NOT NULL FROM host_posts WHERE id = '{other.Id}'");
        scopes.Release();
        await UntilDoneAsync();

        var texts = await slices.ScalarAsync<string>(
            "SELECT string_agg(text, ', ' ORDER BY seq) FROM messages WHERE conversation_id = @Id", new { Id = pair.Value });
        Assert.That(texts, Is.EqualTo("first, second"));
    }

    [Test]
    public async Task A_node_that_leads_no_more_records_nothing()
    {
        var users = await slices.UsersAsync(2);
        var post = await PostAsync(users[0], await slices.GroupAsync(users[0], users[1]), "shipped", key: null);
        var scopes = new WatchedScopes(slices.Get<IServiceScopeFactory>());
        // After one to read it and one to send it.
        scopes.HoldThe(3);
        await using (await Running.StartAsync(new PostWorker(direct, scopes, NullLogger<PostWorker>.Instance)))
        {
            await Eventually.HoldsAsync(() => scopes.IsHeld, "it is being recorded");
            await slices.ExecuteAsync("UPDATE leases SET fencing = fencing + 1, holder = 'another' WHERE name = 'posts'");
            scopes.Release();
            await Eventually.HoldsAsync(() => scopes.Ended == 3, "it has been recorded, or not");
        }
        var outcome = await slices.ScalarAsync<bool>("SELECT done_at IS NULL FROM host_posts WHERE id = @Id", new { post.Id });
        await slices.ExecuteAsync("UPDATE leases SET expires_at = now() WHERE name = 'posts'");

        Assert.That(outcome, Is.True);
        await RunUntilDoneAsync();
    }

    private Task<Post> PostAsync(UserId sender, ConversationId? id, string text, string? key, UserId? recipient = null) =>
        slices.SqlAsync(session => session.QuerySingleAsync<Post>(
            PostSql, new { Sender = sender.Value, Id = id?.Value, Recipient = recipient?.Value, Text = text, Key = key },
            CancellationToken.None));

    private async Task RunUntilDoneAsync()
    {
        await using var running = await Running.StartAsync(
            new PostWorker(direct, slices.Get<IServiceScopeFactory>(), NullLogger<PostWorker>.Instance));
        await UntilDoneAsync();
    }

    private Task UntilDoneAsync() => slices.UntilAsync("SELECT NOT EXISTS (SELECT FROM host_posts WHERE done_at IS NULL)");

    private Task<string> OutcomeAsync(Post post) => slices.ScalarAsync<string>(
        """
        SELECT concat(coalesce(p.code, p.message_id::text), ' told ',
            (SELECT count(*) FROM outbox o WHERE o.type = 'post:refused' AND o.payload::text LIKE '%' || p.id || '%'), ' times')
        FROM host_posts p
        WHERE p.id = @Id
        """,
        new { post.Id });

    private sealed class WatchedScopes(IServiceScopeFactory inner) : IServiceScopeFactory
    {
        private readonly TaskCompletionSource released = new();
        private int open;
        private int most;
        private int opened;
        private int ended;
        private int held;
        private volatile bool isHeld;

        public int Open => Volatile.Read(ref open);

        public int MostOpen => Volatile.Read(ref most);

        public int Ended => Volatile.Read(ref ended);

        public bool IsHeld => isHeld;

        /// <summary>What the opening of a scope fails with, by its number.</summary>
        public Func<int, Exception?>? Fail { get; init; }

        /// <summary>Holds up whoever opens the scope of that number, and no other.</summary>
        public void HoldThe(int number) => held = number;

        public void Release() => released.SetResult();

        public IServiceScope CreateScope()
        {
            var number = Interlocked.Increment(ref opened);
            if (Fail?.Invoke(number) is { } failure)
                throw failure;
            if (number == held)
            {
                isHeld = true;
                released.Task.Wait();
            }
            var now = Interlocked.Increment(ref open);
            for (var before = MostOpen; before < now && Interlocked.CompareExchange(ref most, now, before) != before;)
                before = MostOpen;
            return new Scope(inner.CreateAsyncScope(), () =>
            {
                Interlocked.Decrement(ref open);
                Interlocked.Increment(ref ended);
            });
        }

        private sealed class Scope(AsyncServiceScope inner, Action end) : IServiceScope, IAsyncDisposable
        {
            public IServiceProvider ServiceProvider => inner.ServiceProvider;

            public void Dispose() => inner.Dispose();

            public async ValueTask DisposeAsync()
            {
                await inner.DisposeAsync();
                end();
            }
        }
    }
}
