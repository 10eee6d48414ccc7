using Messaging.Application.Contacts;
using Messaging.Domain.Common;
using Messaging.Testing;

namespace Messaging.Application.Tests.Contacts;

/// <summary>Who waits for what stands between two people is in nobody else's way, however much the two ask for.</summary>
public sealed class PairWaitTests : SliceFixture
{
    private const string HoldPairsSql =
        """
        SELECT pg_advisory_xact_lock(hashtextextended('messaging:pair:' || least(@Ada, u.id) || ' ' || greatest(@Ada, u.id), 0))
        FROM unnest(@Others) AS u (id)
        """;

    private const string HoldConversationSql = "SELECT id FROM conversations WHERE id = @Id FOR UPDATE";

    private const string HoldAddingSql =
        "SELECT pg_advisory_xact_lock_shared(hashtextextended('messaging:adding:' || @Ada || ' ' || n, 0)) FROM generate_series(0, 63) n";

    private const string AddingIsFreeSql =
        """
        SELECT bool_and(pg_try_advisory_xact_lock(hashtextextended('messaging:adding:' || @Ada || ' ' || n, 0)))
        FROM generate_series(0, 63) n
        """;

    private const string SomebodyWaits =
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')";

    [Test]
    public async Task Two_who_block_each_other_all_the_time_keep_nobody_else_from_blocking()
    {
        var users = await Slices.UsersAsync(4);

        var (blocking, code) = await HoldingAsync(HoldPairsSql, Between(users[0], users[1]), async () =>
        {
            var both = Enumerable.Range(0, 4).Select(i => CodeAsync(() => BlockAsync(users[i % 2], users[1 - (i % 2)]))).ToList();
            await WaitAsync(4);
            return (both, await CodeAsync(() => BlockAsync(users[2], users[3])));
        });

        Assert.That(code, Is.Empty);
        await Task.WhenAll(blocking);
    }

    [Test]
    public async Task Who_is_busy_blocking_somebody_holds_up_nobody_who_adds_or_blocks_others()
    {
        var users = await Slices.UsersAsync(2);
        var id = await Slices.DirectAsync(users[0], users[1]);

        var (blocking, isFree) = await HoldingAsync(HoldConversationSql, new { Id = id.Value }, async () =>
        {
            var blocking = BlockAsync(users[0], users[1]);
            await Slices.UntilAsync(SomebodyWaits);
            return (blocking, await Slices.ScalarAsync<bool>(AddingIsFreeSql, new { Ada = users[0].Value }));
        });

        await Task.WhenAny(blocking);
        Assert.That(isFree, Is.True);
    }

    [Test]
    public async Task Who_waits_for_additions_to_groups_counts_as_everybody_who_waits()
    {
        var (ada, others) = (await Slices.UserAsync(), await Slices.UsersAsync(8));

        var codes = await Task.WhenAll(await HoldingAsync(HoldAddingSql, new { Ada = ada.Value }, async () =>
        {
            var blocks = others.Select(other => CodeAsync(() => BlockAsync(ada, other))).ToList();
            while (blocks.Count(block => block.IsCompleted) < 6)
                await Task.Yield();
            return blocks;
        }));

        Assert.That(codes.Count(code => code == ProblemCodes.Unavailable), Is.EqualTo(6));
    }

    [Test]
    public async Task Three_who_ask_and_ask_keep_nobody_else_from_asking()
    {
        var (users, queue, held) = (await Slices.UsersAsync(5), Slices.Get<PairQueue>(), new TaskCompletionSource());
        for (var i = 0; i < 20; i++)
            _ = queue.WaitAsync(users[i % 3], blocks: false, _ => held.Task, CancellationToken.None);

        var code = await CodeAsync(() => Slices.SendAsync(new RequestContact(new Actor(users[3]), users[4])));
        held.SetResult();

        Assert.That(code, Is.Empty);
    }

    [Test]
    public async Task Who_blocks_many_at_once_and_waits_for_nobody_is_not_refused()
    {
        var (ada, others) = (await Slices.UserAsync(), await Slices.UsersAsync(8));

        var codes = await Task.WhenAll(others.Select(other => Task.Run(() => CodeAsync(() => BlockAsync(ada, other)))));

        Assert.That(codes, Is.All.Empty);
    }

    [Test]
    public async Task Who_is_no_contact_is_not_removed_and_nothing_is_waited_for()
    {
        var users = await Slices.UsersAsync(2);

        var code = await HoldingAsync(
            HoldPairsSql, Between(users[0], users[1]),
            () => CodeAsync(() => Slices.SendAsync(new RemoveContact(new Actor(users[0]), users[1]))));

        Assert.That(code, Is.EqualTo(ProblemCodes.NotFound));
    }

    private Task<BlockedUser> BlockAsync(UserId one, UserId other) => Slices.SendAsync(new BlockUser(new Actor(one), other));

    private static object Between(UserId ada, params IEnumerable<UserId> others) =>
        new { Ada = ada.Value, Others = others.Select(other => other.Value).ToArray() };

    private Task WaitAsync(int count) => Slices.UntilAsync(
        $"SELECT count(*) >= {count} FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'");

    private async Task<T> HoldingAsync<T>(string sql, object parameters, Func<Task<T>> meanwhile)
    {
        await using var connection = await Slices.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Dapper.SqlMapper.ExecuteAsync(connection, sql, parameters, transaction);
        var result = await meanwhile();
        await transaction.CommitAsync();
        return result;
    }
}
