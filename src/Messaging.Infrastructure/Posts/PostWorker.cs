using Dapper;
using Messaging.Application.Posts;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Cluster;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Messaging.Infrastructure.Posts;

/// <summary>
/// Sends what hosts post, within milliseconds of their commits. One node in the cluster does it, which keeps the order. A node that dies
/// between sending and recording leaves posts that the next one sends again: their messages are found by their names, and stay one.
/// </summary>
public sealed class PostWorker(DirectDataSource database, IServiceScopeFactory scopes, ILogger<PostWorker> logger) : BackgroundService
{
    private const string LeaseName = "posts";

    // Index: pk_direct_keys, pk_conversations, pk_participants.
    private const string DirectsSql =
        """
        SELECT direct_key, conversation_id
        FROM direct_keys
        WHERE direct_key = ANY (@Pairs)
        UNION
        SELECT d.direct_key, d.conversation_id
        FROM conversations c
        CROSS JOIN LATERAL (
            SELECT min(user_id) AS first, max(user_id) AS second
            FROM participants
            WHERE conversation_id = c.id
        ) AS pair
        JOIN direct_keys d ON d.direct_key = concat_ws(' ', pair.first, pair.second, c.context_type, c.context_id)
        WHERE c.id = ANY (@Ids) AND c.type = 'direct'
        """;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FullPause = TimeSpan.FromMilliseconds(20);

    private readonly Leadership leadership = new(database, LeaseName, "the sending of posts", logger);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, ct => leadership.TakeTurnAsync(LeadAsync, ct), stoppingToken);

    private async Task LeadAsync(Turn turn, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var lines = new PostLines(scopes, logger, ending.Token);
        var (reading, recording) = (ReadAsync(turn, lines, ending.Token), RecordAsync(turn.Lease, lines, ending.Token));
        // Either ends the turn.
        var first = await Task.WhenAny(reading, recording);
        await ending.CancelAsync();
        await Task.WhenAll(reading, recording).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }

    private static async Task ReadAsync(Turn turn, PostLines lines, CancellationToken ct)
    {
        await using var connection = await turn.Database.OpenConnectionAsync(ct);
        var reader = new PostReader(connection);
        await reader.OpenAsync(ct);
        while (await turn.GoesOnAsync(ct))
        {
            if (!lines.HasRoom)
            {
                await Task.Delay(FullPause, ct);
                continue;
            }
            var (posts, hasMore) = await reader.ReadAsync(ct);
            await AddAsync(connection, lines, posts, ct);
            if (!hasMore && !reader.IsCalled)
                await connection.WaitAsync(Poll, ct);
        }
    }

    private static async Task AddAsync(NpgsqlConnection connection, PostLines lines, IReadOnlyList<WaitingPost> posts, CancellationToken ct)
    {
        if (posts.Count == 0)
            return;
        var places = new
        {
            Pairs = posts.Select(post => post.Pair()).OfType<string>().Distinct().ToArray(),
            Ids = posts.Select(post => post.ConversationId?.Value).OfType<Guid>().Distinct().ToArray(),
        };
        var directs = await connection.QueryAsync<DirectRow>(new CommandDefinition(DirectsSql, places, cancellationToken: ct));
        lines.Add(posts, directs.ToDictionary(row => row.DirectKey, row => row.ConversationId));
    }

    private async Task RecordAsync(Lease lease, PostLines lines, CancellationToken ct)
    {
        var outcomes = new List<PostOutcome>();
        while (await lines.Outcomes.WaitToReadAsync(ct))
        {
            while (outcomes.Count < 500 && lines.Outcomes.TryRead(out var outcome))
                outcomes.Add(outcome);
            if (!await PostRecorder.RecordAsync(scopes, lease, outcomes, ct))
                return;
            outcomes.Clear();
        }
    }

    private sealed record DirectRow(string DirectKey, ConversationId ConversationId);
}
