using System.Diagnostics.CodeAnalysis;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Outbound;
using Messaging.Domain.Common;
using Messaging.Domain.Webhooks;
using NodaTime;

namespace Messaging.Application.Webhooks;

/// <summary>
/// Patches a webhook (RFC 7396): what is absent stays, null goes back to the default. Enabling it again takes away why it was disabled.
/// </summary>
/// <param name="ExpectedVersions">Any when null.</param>
public sealed record UpdateWebhook(Guid Id, IReadOnlyList<long>? ExpectedVersions, WebhookPatch Patch) : ICommand<WebhookView>;

/// <summary>A JSON Merge Patch of a webhook: absent keeps, null returns to the default.</summary>
public sealed record WebhookPatch
{
    /// <summary>As at creation; never null.</summary>
    [DisallowNull]
    public Optional<string> Url { get; init; }

    /// <summary>At most 1,000 characters.</summary>
    public Optional<string> Description { get; init; }

    /// <summary>The whole list; null for the events of conversations, messages and participants.</summary>
    public Optional<IReadOnlyList<string>> EventTypes { get; init; }

    /// <summary>Null for all conversations.</summary>
    public Optional<string> ContextType { get; init; }

    /// <summary>The whole list; null for everyone's events.</summary>
    public Optional<IReadOnlyList<UserId>> UserIds { get; init; }

    /// <summary>True also clears <c>disabledReason</c>.</summary>
    public Optional<bool?> Enabled { get; init; }
}

public sealed class UpdateWebhookValidator : AbstractValidator<UpdateWebhook>
{
    public UpdateWebhookValidator()
    {
        RuleFor(c => c.Patch.Url.Value).IsWebhookUrl().When(c => c.Patch.Url.IsGiven).OverridePropertyName(nameof(WebhookPatch.Url));
        RuleFor(c => c.Patch.Description.Value).IsDescription().OverridePropertyName(nameof(WebhookPatch.Description));
        RuleFor(c => c.Patch.EventTypes.Value).AreFew().OverridePropertyName(nameof(WebhookPatch.EventTypes));
        RuleForEach(c => c.Patch.EventTypes.Value).IsEventType().OverridePropertyName(nameof(WebhookPatch.EventTypes));
        RuleFor(c => c.Patch.ContextType.Value).IsContextType().OverridePropertyName(nameof(WebhookPatch.ContextType));
        RuleFor(c => c.Patch.UserIds.Value).AreUsers().OverridePropertyName(nameof(WebhookPatch.UserIds));
    }
}

public sealed class UpdateWebhookHandler(
    DbSession session, WebhookStore webhooks, IOutboundAddresses addresses, ConversationStore users, IClock clock)
    : IRequestHandler<UpdateWebhook, WebhookView>
{
    // pk_webhooks, locked.
    private const string SaveSql =
        $"""
        UPDATE webhooks
        SET url = @Url,
            description = @Description,
            event_types = @EventTypes,
            context_type = @ContextType,
            user_ids = @UserIds,
            enabled = @Enabled,
            disabled_reason = CASE WHEN NOT @Enabled THEN disabled_reason END,
            updated_at = @Now,
            version = version + 1
        WHERE id = @Id
        RETURNING {WebhookStore.Columns}
        """;

    public async Task<WebhookView> Handle(UpdateWebhook command, CancellationToken ct)
    {
        if (command.Patch.Url.Value is { } url && await addresses.IsRefusedAsync(new Uri(url), ct))
            throw WebhookErrors.PrivateAddress();
        return await session.TransactAsync(() => SaveAsync(command, ct), ct);
    }

    private async Task<WebhookView> SaveAsync(UpdateWebhook command, CancellationToken ct)
    {
        var current = await webhooks.LockAsync(command.Id, command.ExpectedVersions, ct);
        var patch = command.Patch;
        if (patch.UserIds.Value is { } listed)
            await users.EnsureKnownAsync(listed, i => $"userIds/{i}", ct);

        var saved = await session.QuerySingleAsync<StoredWebhook>(
            SaveSql,
            new
            {
                command.Id,
                Url = patch.Url.Or(current.Url),
                Description = patch.Description.Or(current.Description),
                EventTypes = (patch.EventTypes.Or(current.EventTypes) ?? []).Distinct().ToArray(),
                ContextType = patch.ContextType.Or(current.ContextType),
                UserIds = patch.UserIds.IsGiven ? [.. (patch.UserIds.Value ?? []).Select(user => user.Value)] : current.UserIds,
                Enabled = patch.Enabled.Or(current.Enabled) ?? true,
                Now = clock.GetCurrentInstant(),
            },
            ct);
        return saved.ToView();
    }
}
