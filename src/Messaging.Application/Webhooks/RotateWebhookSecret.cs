using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Webhooks;
using NodaTime;

namespace Messaging.Application.Webhooks;

/// <summary>
/// Gives a webhook another secret. Calls are signed with the former one as well for a while; the one before that ends at once. The secret
/// that it has already changes nothing, so that bringing one's own can be repeated.
/// </summary>
/// <param name="Secret">Made when null.</param>
/// <param name="KeepSeconds">How long the former one stays in force.</param>
public sealed record RotateWebhookSecret(Guid Id, string? Secret, int KeepSeconds) : ICommand<WebhookWithSecret>
{
    public const int DefaultKeepSeconds = 86_400;
    public const int MaxKeepSeconds = 2_592_000;
}

public sealed class RotateWebhookSecretValidator : AbstractValidator<RotateWebhookSecret>
{
    public RotateWebhookSecretValidator()
    {
        RuleFor(c => c.Secret).IsSecret();
        RuleFor(c => c.KeepSeconds).InclusiveBetween(0, RotateWebhookSecret.MaxKeepSeconds)
            .WithMessage($"A number from 0 to {RotateWebhookSecret.MaxKeepSeconds} is expected.");
    }
}

public sealed class RotateWebhookSecretHandler(DbSession session, WebhookStore webhooks, IClock clock)
    : IRequestHandler<RotateWebhookSecret, WebhookWithSecret>
{
    // pk_webhooks. Who brings the same secret at the same time waits for the row, and finds it with that secret.
    private const string RotateSql =
        $"""
        UPDATE webhooks
        SET previous_secret = CASE WHEN @Until::timestamptz IS NOT NULL THEN secret END,
            previous_secret_until = @Until,
            secret = @Secret,
            updated_at = @Now,
            version = version + 1
        WHERE id = @Id AND secret <> @Secret
        RETURNING {WebhookStore.Columns}
        """;

    public async Task<WebhookWithSecret> Handle(RotateWebhookSecret command, CancellationToken ct)
    {
        var (secret, now) = (command.Secret ?? WebhookSecret.New().Reveal(), clock.GetCurrentInstant());
        Instant? until = command.KeepSeconds > 0 ? now + Duration.FromSeconds(command.KeepSeconds) : null;
        var rotated = await session.QuerySingleOrDefaultAsync<StoredWebhook>(
            RotateSql, new { command.Id, Secret = secret, Until = until, Now = now }, ct);
        return (rotated ?? await webhooks.GetAsync(command.Id, ct)).WithSecret();
    }
}
