using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>Direct and group conversations, and the inbox.</summary>
public sealed class ConversationsModule : Module
{
    // Index: ix_departures_ends_at.
    private const string DeparturesSql =
        """
        DELETE FROM departures
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM departures WHERE ends_at < @Before LIMIT @Limit))
        """;

    public override IReadOnlyList<string> Tables { get; } = ["conversations", "direct_keys", "slugs", "departures", "purges"];

    // The founding members; all of them, and an open request, when it is deleted; a message moves its conversation up.
    public override IReadOnlyList<string> AlsoWrites { get; } = ["message_requests", "participants", "inbox_places"];

    public override IReadOnlyList<OldRows> OldRows { get; } = [new(DeparturesSql, Duration.Zero)];

    public override void AddServices(IServiceCollection services) =>
        services.AddSingleton<LargeInboxCache>();
}
