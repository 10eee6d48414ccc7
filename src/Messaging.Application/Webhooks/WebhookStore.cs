using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Webhooks;

/// <summary>A webhook's row.</summary>
public sealed record StoredWebhook
{
    public Guid Id { get; init; }

    public string Url { get; init; } = "";

    public string? Description { get; init; }

    public string[] EventTypes { get; init; } = [];

    public string? ContextType { get; init; }

    public string[] UserIds { get; init; } = [];

    public bool Enabled { get; init; }

    public string? DisabledReason { get; init; }

    public string Secret { get; init; } = "";

    public Instant CreatedAt { get; init; }

    public long Version { get; init; }

    public Instant? FailingSince { get; init; }

    public WebhookView ToView() => new()
    {
        Id = Id,
        Url = Url,
        Description = Description,
        EventTypes = EventTypes,
        ContextType = ContextType,
        UserIds = [.. UserIds.Select(id => new UserId(id))],
        Enabled = Enabled,
        DisabledReason = DisabledReason,
        FailingSince = FailingSince,
        CreatedAt = CreatedAt,
        Version = Version,
    };

    public WebhookWithSecret WithSecret() => new(ToView(), Secret);
}

/// <summary>Loads webhooks.</summary>
public sealed class WebhookStore(DbSession session)
{
    /// <summary>The columns of a <see cref="StoredWebhook"/>.</summary>
    public const string Columns =
        """
        id, url, description, event_types, context_type, user_ids, enabled, disabled_reason, secret, created_at, version,
            (SELECT p.failing_since FROM webhook_places p WHERE p.webhook_id = webhooks.id) AS failing_since
        """;

    // pk_webhooks.
    private const string FindSql =
        $"""
        SELECT {Columns}
        FROM webhooks
        WHERE id = @Id
        """;

    // Locks the row: of two changes at once neither is lost.
    private const string LockSql = $"{FindSql} FOR NO KEY UPDATE";

    public async Task<StoredWebhook> GetAsync(Guid id, CancellationToken ct) =>
        await session.QuerySingleOrDefaultAsync<StoredWebhook>(FindSql, new { Id = id }, ct) ?? throw CommonErrors.NotFound();

    /// <summary>The webhook, locked until the transaction ends; refuses one of another version than is expected.</summary>
    /// <param name="expected">Any when null.</param>
    public async Task<StoredWebhook> LockAsync(Guid id, IReadOnlyList<long>? expected, CancellationToken ct)
    {
        var stored = await session.QuerySingleOrDefaultAsync<StoredWebhook>(LockSql, new { Id = id }, ct) ?? throw CommonErrors.NotFound();
        CommonErrors.EnsureVersion(expected, stored.Version);
        return stored;
    }
}
