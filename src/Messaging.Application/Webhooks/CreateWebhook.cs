using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Outbound;
using Messaging.Domain.Common;
using Messaging.Domain.Webhooks;
using NodaTime;

namespace Messaging.Application.Webhooks;

/// <summary>Has an address told of events from now on. It is looked up before a transaction begins: that can take a while.</summary>
public sealed record CreateWebhook(NewWebhook Webhook) : ICommand<WebhookWithSecret>;

/// <summary>An address to be told of events.</summary>
public sealed record NewWebhook
{
    /// <summary>Http or https, at most 2,000 characters; not in a private network, unless the operator allows that.</summary>
    public required string Url { get; init; }

    /// <summary>For people; at most 1,000 characters.</summary>
    public string? Description { get; init; }

    /// <summary>
    /// Types of events such as <c>message:new</c>, all of one kind as <c>message:*</c>, or all as <c>*</c>; without any, the events of
    /// conversations, messages and participants.
    /// </summary>
    public IReadOnlyList<string>? EventTypes { get; init; }

    /// <summary>Only events of conversations that are about something of this type; all when absent.</summary>
    public string? ContextType { get; init; }

    /// <summary>Only events that one of these users is told of, at most 1,000; everyone's when absent.</summary>
    public IReadOnlyList<UserId>? UserIds { get; init; }

    /// <summary>Whether it is called; true by default.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary><c>whsec_</c> and the base64 of 24 to 64 random bytes; made by the service when absent.</summary>
    public string? Secret { get; init; }
}

public sealed class CreateWebhookValidator : AbstractValidator<CreateWebhook>
{
    public CreateWebhookValidator()
    {
        RuleFor(c => c.Webhook.Url).IsWebhookUrl().OverridePropertyName(nameof(NewWebhook.Url));
        RuleFor(c => c.Webhook.Description).IsDescription().OverridePropertyName(nameof(NewWebhook.Description));
        RuleFor(c => c.Webhook.EventTypes).AreFew().OverridePropertyName(nameof(NewWebhook.EventTypes));
        RuleForEach(c => c.Webhook.EventTypes).IsEventType().OverridePropertyName(nameof(NewWebhook.EventTypes));
        RuleFor(c => c.Webhook.ContextType).IsContextType().OverridePropertyName(nameof(NewWebhook.ContextType));
        RuleFor(c => c.Webhook.UserIds).AreUsers().OverridePropertyName(nameof(NewWebhook.UserIds));
        RuleFor(c => c.Webhook.Secret).IsSecret().OverridePropertyName(nameof(NewWebhook.Secret));
    }
}

public sealed class CreateWebhookHandler(DbSession session, IOutboundAddresses addresses, ConversationStore users, IClock clock)
    : IRequestHandler<CreateWebhook, WebhookWithSecret>
{
    // Those who create one are counted one after the other. The lock is taken before the count's snapshot.
    private const string LockSql = "SELECT pg_advisory_xact_lock(hashtextextended('messaging:webhooks', 0))";

    // At most as many rows as there may be.
    private const string CountSql = "SELECT count(*) FROM webhooks";

    // From now() on, as events know it: the node's time may be a little behind, and what was before would be told.
    private const string InsertSql =
        $"""
        INSERT INTO webhooks
            (id, url, description, event_types, context_type, user_ids, enabled, secret, created_at, updated_at, version)
        VALUES
            (@Id, @Url, @Description, @EventTypes, @ContextType, @UserIds, @Enabled, @Secret, now(), now(), 1)
        RETURNING {WebhookStore.Columns}
        """;

    public async Task<WebhookWithSecret> Handle(CreateWebhook command, CancellationToken ct)
    {
        if (await addresses.IsRefusedAsync(new Uri(command.Webhook.Url), ct))
            throw WebhookErrors.PrivateAddress();
        return await session.TransactAsync(() => AddAsync(command.Webhook, ct), ct);
    }

    private async Task<WebhookWithSecret> AddAsync(NewWebhook webhook, CancellationToken ct)
    {
        await users.EnsureKnownAsync(webhook.UserIds ?? [], i => $"userIds/{i}", ct);
        await session.ExecuteAsync(LockSql, parameters: null, ct);
        if (await session.QuerySingleAsync<long>(CountSql, parameters: null, ct) >= WebhookRules.Limit)
            throw WebhookErrors.TooMany(WebhookRules.Limit);
        return (await InsertAsync(webhook, ct)).WithSecret();
    }

    private Task<StoredWebhook> InsertAsync(NewWebhook webhook, CancellationToken ct) =>
        session.QuerySingleAsync<StoredWebhook>(
            InsertSql,
            new
            {
                Id = Guid.CreateVersion7(clock.GetCurrentInstant().ToDateTimeOffset()),
                webhook.Url,
                webhook.Description,
                EventTypes = (webhook.EventTypes ?? []).Distinct().ToArray(),
                webhook.ContextType,
                UserIds = (webhook.UserIds ?? []).Select(user => user.Value).ToArray(),
                webhook.Enabled,
                Secret = webhook.Secret ?? WebhookSecret.New().Reveal(),
            },
            ct);
}
