using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Posts;
using Messaging.Domain.Posts;
using Messaging.Infrastructure.Cluster;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Posts;

/// <summary>Says in the rows of posts what became of them.</summary>
static class PostRecorder
{
    // The text is in the message by now, where it can be deleted. Index: pk_host_posts.
    private const string RecordSql =
        """
        UPDATE host_posts p
        SET message = NULL, message_id = w.message_id, conversation_id = coalesce(w.conversation_id, p.conversation_id),
            code = w.code, detail = w.detail, member = w.member, done_at = clock_timestamp()
        FROM unnest(@Ids::uuid[], @MessageIds::uuid[], @ConversationIds::uuid[], @Codes::text[], @Details::text[], @Members::text[])
            AS w (id, message_id, conversation_id, code, detail, member)
        WHERE p.id = w.id AND p.done_at IS NULL
        RETURNING p.id
        """;

    /// <summary>Records outcomes and tells of the refused ones; false if another node leads meanwhile, and nothing is recorded.</summary>
    public static async Task<bool> RecordAsync(
        IServiceScopeFactory scopes, Lease lease, IReadOnlyList<PostOutcome> outcomes, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var session = scope.ServiceProvider.GetRequiredService<DbSession>();
        var outbox = scope.ServiceProvider.GetRequiredService<Outbox>();
        await session.BeginAsync(ct);
        if (await session.QuerySingleOrDefaultAsync<string>(Lease.HeldSql, lease, ct) is null)
            return false;
        var recorded = (await session.QueryAsync<Guid>(RecordSql, Columns(outcomes), ct)).ToHashSet();
        foreach (var refusal in outcomes.Select(one => one.Refusal).OfType<RefusedPost>().Where(one => recorded.Contains(one.PostId)))
            await outbox.TellAsync(new PostRefused(), refusal, ct);
        await session.CommitAsync(ct);
        return true;
    }

    private static object Columns(IReadOnlyList<PostOutcome> outcomes) => new
    {
        Ids = outcomes.Select(one => one.PostId).ToArray(),
        MessageIds = outcomes.Select(one => one.Message?.Id.Value).ToArray(),
        ConversationIds = outcomes.Select(one => one.Message?.ConversationId.Value).ToArray(),
        Codes = outcomes.Select(one => one.Refusal?.Code).ToArray(),
        Details = outcomes.Select(one => one.Refusal?.Detail).ToArray(),
        Members = outcomes.Select(one => one.Refusal?.Member).ToArray(),
    };
}
