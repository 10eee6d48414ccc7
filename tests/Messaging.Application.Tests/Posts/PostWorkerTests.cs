using Messaging.Application.Contacts;
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

/// <summary>What becomes of posts when the node that sends them is another one than before.</summary>
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

    private Task<Post> PostAsync(UserId sender, ConversationId? id, string text, string? key, UserId? recipient = null) =>
        slices.SqlAsync(session => session.QuerySingleAsync<Post>(
            PostSql, new { Sender = sender.Value, Id = id?.Value, Recipient = recipient?.Value, Text = text, Key = key },
            CancellationToken.None));

    private async Task RunUntilDoneAsync()
    {
        await using var running = await Running.StartAsync(
            new PostWorker(direct, slices.Get<IServiceScopeFactory>(), NullLogger<PostWorker>.Instance));
        await slices.UntilAsync("SELECT NOT EXISTS (SELECT FROM host_posts WHERE done_at IS NULL)");
    }

    private Task<string> OutcomeAsync(Post post) => slices.ScalarAsync<string>(
        """
        SELECT concat(coalesce(p.code, p.message_id::text), ' told ',
            (SELECT count(*) FROM outbox o WHERE o.type = 'post:refused' AND o.payload::text LIKE '%' || p.id || '%'), ' times')
        FROM host_posts p
        WHERE p.id = @Id
        """,
        new { post.Id });
}
