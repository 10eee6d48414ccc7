using Messaging.Application.Events;
using Messaging.Infrastructure.Events;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>Which webhooks of certain users are told of a batch of events: those of users who would hear of them themselves.</summary>
sealed class WebhookHearers
{
    private readonly ILookup<string, FollowingWebhook> webhooks;
    private readonly FeedData hearing;
    private readonly HashSet<(Guid ConversationId, string UserId, long Seq)> hidden;

    private WebhookHearers(
        ILookup<string, FollowingWebhook> webhooks, FeedData hearing, HashSet<(Guid ConversationId, string UserId, long Seq)> hidden) =>
        (this.webhooks, this.hearing, this.hidden) = (webhooks, hearing, hidden);

    public static async Task<WebhookHearers> ReadAsync(
        FeedTail tail, IEnumerable<FollowingWebhook> webhooks, IReadOnlyList<FeedRow> rows, CancellationToken ct)
    {
        var byUser = webhooks.SelectMany(webhook => webhook.UserIds, (webhook, user) => (Webhook: webhook, User: user))
            .ToLookup(one => one.User, one => one.Webhook, StringComparer.Ordinal);
        IReadOnlyCollection<string> users = [.. byUser.Select(its => its.Key)];
        if (users.Count == 0)
        {
            var nobody = Enumerable.Empty<FeedMember>().ToLookup(member => member.ConversationId);
            return new WebhookHearers(byUser, new FeedData(_ => null, nobody, _ => false), []);
        }
        List<FeedRow> heard = [.. rows.Where(row => row.UserId is not { } user || byUser.Contains(user))];
        var listeners = heard.Where(row => row is { UserId: null, ConversationId: not null }).Select(row => row.ConversationId!.Value)
            .Distinct().ToDictionary(id => id, _ => users);
        var who = await tail.ReadHearersAsync(heard, listeners, ct);
        return new WebhookHearers(byUser, who, await tail.ReadHiddenAsync(heard, who, _ => null, ct));
    }

    /// <summary>Each of them once.</summary>
    public IEnumerable<FollowingWebhook> Of(FeedRow row) =>
        UsersOf(row).SelectMany(user => webhooks[user]).DistinctBy(webhook => webhook.Id);

    private IEnumerable<string> UsersOf(FeedRow row) => row switch
    {
        { UserId: { } user } => webhooks.Contains(user) && hearing.IsHeard(row) ? [user] : [],
        { ConversationId: { } conversation } => hearing.MembersOf(conversation)
            .Where(member => webhooks.Contains(member.UserId) && member.Receives(row, hidden.Contains))
            .Select(member => member.UserId),
        _ => [],
    };
}
