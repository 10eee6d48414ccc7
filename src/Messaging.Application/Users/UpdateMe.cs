using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Notifications;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Users;

/// <summary>Patches one's own profile (RFC 7396): what is absent stays, null clears, metadata is merged member by member.</summary>
[OneTransaction("the profile stays locked between reading and writing it")]
public sealed record UpdateMe(
    UserId UserId,
    Optional<string> DisplayName,
    Optional<string> FirstName,
    Optional<string> LastName,
    Optional<string> AvatarUrl,
    Optional<JsonText?> Metadata) : ITransactionCommand<Me>
{
    public Optional<string> Language { get; init; }

    public Optional<QuietHoursView> QuietHours { get; init; }
}

public sealed class UpdateMeValidator : AbstractValidator<UpdateMe>
{
    public UpdateMeValidator()
    {
        RuleFor(r => r.DisplayName.Value).IsName().OverridePropertyName(nameof(UpdateMe.DisplayName));
        RuleFor(r => r.FirstName.Value).IsName().OverridePropertyName(nameof(UpdateMe.FirstName));
        RuleFor(r => r.LastName.Value).IsName().OverridePropertyName(nameof(UpdateMe.LastName));
        RuleFor(r => r.AvatarUrl.Value).IsWebAddress().OverridePropertyName(nameof(UpdateMe.AvatarUrl));
        RuleFor(r => r.Language.Value).Must(tag => tag is null || UserLanguage.IsValid(tag))
            .OverridePropertyName(nameof(UpdateMe.Language))
            .WithMessage("A language tag such as en or pt-BR is expected; null for the service's default.");
        RuleFor(r => r.QuietHours.Value!).SetValidator(new QuietHoursValidator()).When(r => r.QuietHours.Value is not null)
            .OverridePropertyName(nameof(UpdateMe.QuietHours));
    }
}

public sealed class UpdateMeHandler(DbSession session, IClock clock, LimitSettings limits, PolicySettings policies)
    : IRequestHandler<UpdateMe, Me>
{
    // Locks the user's row: of two patches of the metadata at once neither is lost.
    private const string LoadSql =
        $"""
        SELECT {ProfileSql.Columns}
        FROM users AS u
        WHERE u.id = @UserId
        FOR NO KEY UPDATE;

        SELECT {OwnPreferences.Columns}
        FROM users AS u
        WHERE u.id = @UserId
        """;

    // pk_users.
    private const string SaveSql =
        $"""
        UPDATE users AS u
        SET display_name = @DisplayName,
            first_name = @FirstName,
            last_name = @LastName,
            avatar_url = @AvatarUrl,
            metadata = @Metadata::jsonb,
            language = @Language,
            quiet_hours = @QuietHours::jsonb,
            updated_at = @Now
        WHERE u.id = @UserId
        RETURNING {ProfileSql.Columns}
        """;

    public async Task<Me> Handle(UpdateMe command, CancellationToken ct)
    {
        var (found, own) = await session.QueryBatchAsync(
            LoadSql,
            new { UserId = command.UserId.Value },
            async grid => (await grid.ReadSingleOrDefaultAsync<UserProfile>(), await grid.ReadSingleOrDefaultAsync<OwnPreferences>()),
            ct);
        var current = found ?? throw CommonErrors.NotFound();
        var preferences = new OwnPreferences(
            command.Language.Or(own!.Language), command.QuietHours.IsGiven ? command.QuietHours.Value?.ToJson() : own.QuietHours);
        var saved = await SaveAsync(command, current, preferences, ct);
        return new Me(saved, preferences, new Limits(limits), policies);
    }

    private Task<UserProfile> SaveAsync(UpdateMe command, UserProfile current, OwnPreferences preferences, CancellationToken ct)
    {
        var metadata = command.Metadata.IsGiven ? MetadataRules.Patch(current.Metadata, command.Metadata.Value, limits) : current.Metadata;
        return session.QuerySingleAsync<UserProfile>(
            SaveSql,
            new
            {
                UserId = command.UserId.Value,
                DisplayName = command.DisplayName.Or(current.DisplayName),
                FirstName = command.FirstName.Or(current.FirstName),
                LastName = command.LastName.Or(current.LastName),
                AvatarUrl = command.AvatarUrl.Or(current.AvatarUrl),
                Metadata = metadata?.Value,
                preferences.Language,
                QuietHours = preferences.QuietHours?.Value,
                Now = clock.GetCurrentInstant(),
            },
            ct);
    }
}
