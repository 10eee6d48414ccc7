using Messaging.Infrastructure.Posts;
using Messaging.Testing;
using Npgsql;

namespace Messaging.Application.Tests.Posts;

/// <summary>In which order posts are found, while transactions commit between the reads.</summary>
public sealed class PostReaderTests
{
    private static readonly Guid Conversation = Guid.CreateVersion7();

    private Slices slices = null!;
    private NpgsqlDataSource hosts = null!;
    private NpgsqlConnection connection = null!;
    private PostReader reader = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        slices = await Slices.StartAsync();
        hosts = NpgsqlDataSource.Create(slices.ConnectionString);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await hosts.DisposeAsync();
        await slices.DisposeAsync();
    }

    [SetUp]
    public async Task OpenAsync()
    {
        await slices.ExecuteAsync("DELETE FROM host_posts");
        connection = await hosts.OpenConnectionAsync();
        reader = new PostReader(connection);
        await reader.OpenAsync(CancellationToken.None);
    }

    [TearDown]
    public async Task CloseAsync() => await connection.DisposeAsync();

    [Test]
    public async Task A_post_that_is_committed_between_two_pages_comes_before_those_that_began_after_it()
    {
        await using var early = await BeginAsync();
        await PostAsync(early, "early");
        await using (var many = await BeginAsync())
        {
            await PostAsync(many, "many", PostReader.PageSize + 10);
            await many.CommitAsync();
        }
        var (found, hasMore) = await ReadAsync();
        await early.CommitAsync();
        await using (var late = await BeginAsync())
        {
            await PostAsync(late, "late");
            await late.CommitAsync();
        }

        found.AddRange(await DrainAsync());

        Assert.That(hasMore, Is.True);
        Assert.That(found, Is.EqualTo((string[])[.. Enumerable.Repeat("many", PostReader.PageSize + 10), "early", "late"]));
    }

    [Test]
    public async Task All_that_a_long_transaction_posted_comes_before_what_began_after_it()
    {
        await using var slow = await BeginAsync();
        await PostAsync(slow, "slow", (2 * PostReader.PageSize) + 10);
        var before = await DrainAsync();
        await slow.CommitAsync();
        await using (var late = await BeginAsync())
        {
            await PostAsync(late, "late", 10);
            await late.CommitAsync();
        }

        var found = await DrainAsync();

        Assert.That(before, Is.Empty);
        Assert.That(
            found,
            Is.EqualTo((string[])[.. Enumerable.Repeat("slow", (2 * PostReader.PageSize) + 10), .. Enumerable.Repeat("late", 10)]));
        Assert.That(await DrainAsync(), Is.Empty);
    }

    // A dump brings numbers of transactions that are still to come where it is restored.
    [Test]
    public async Task Posts_of_a_database_that_was_restored_elsewhere_are_found_once()
    {
        await using (var host = await BeginAsync())
        {
            await PostAsync(host, "restored", 3);
            await host.CommitAsync();
        }
        await slices.ExecuteAsync("UPDATE host_posts SET xid = (pg_current_xact_id()::text::bigint + 1000000)::text::xid8");

        var found = await DrainAsync();

        Assert.That(found, Is.EqualTo((string[])["restored", "restored", "restored"]));
        Assert.That(await DrainAsync(), Is.Empty);
    }

    private async Task<NpgsqlTransaction> BeginAsync() => await (await hosts.OpenConnectionAsync()).BeginTransactionAsync();

    private static async Task PostAsync(NpgsqlTransaction host, string sender, int times = 1)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT messaging.post('{"text": "hello"}', @Sender::text, @Conversation::uuid)
            FROM generate_series(1, @Times)
            """,
            host.Connection, host);
        command.Parameters.AddWithValue("Sender", sender);
        command.Parameters.AddWithValue("Conversation", Conversation);
        command.Parameters.AddWithValue("Times", times);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<(List<string> Senders, bool HasMore)> ReadAsync()
    {
        var (posts, hasMore) = await reader.ReadAsync(CancellationToken.None);
        return ([.. posts.Select(post => post.SenderId!.Value.Value)], hasMore);
    }

    // Two passes: the second finds those that were open at the first.
    private async Task<List<string>> DrainAsync()
    {
        var found = new List<string>();
        for (var passes = 0; passes < 2;)
        {
            var (senders, hasMore) = await ReadAsync();
            found.AddRange(senders);
            passes += hasMore ? 0 : 1;
        }
        return found;
    }
}
