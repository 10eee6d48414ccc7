using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
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
    Optional<JsonText?> Metadata) : ITransactionCommand<Me>;

public sealed class UpdateMeValidator : AbstractValidator<UpdateMe>
{
    public UpdateMeValidator()
    {
        RuleFor(r => r.DisplayName.Value).IsName().OverridePropertyName(nameof(UpdateMe.DisplayName));
        RuleFor(r => r.FirstName.Value).IsName().OverridePropertyName(nameof(UpdateMe.FirstName));
        RuleFor(r => r.LastName.Value).IsName().OverridePropertyName(nameof(UpdateMe.LastName));
        RuleFor(r => r.AvatarUrl.Value).IsWebAddress().OverridePropertyName(nameof(UpdateMe.AvatarUrl));
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
        FOR NO KEY UPDATE
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
            updated_at = @Now
        WHERE u.id = @UserId
        RETURNING {ProfileSql.Columns}
        """;

    public async Task<Me> Handle(UpdateMe command, CancellationToken ct)
    {
        var id = command.UserId.Value;
        var current = await session.QuerySingleOrDefaultAsync<UserProfile>(LoadSql, new { UserId = id }, ct)
            ?? throw CommonErrors.NotFound();

        var metadata = command.Metadata.IsGiven ? MetadataRules.Patch(current.Metadata, command.Metadata.Value, limits) : current.Metadata;
        var saved = await session.QuerySingleAsync<UserProfile>(
            SaveSql,
            new
            {
                UserId = id,
                DisplayName = command.DisplayName.Or(current.DisplayName),
                FirstName = command.FirstName.Or(current.FirstName),
                LastName = command.LastName.Or(current.LastName),
                AvatarUrl = command.AvatarUrl.Or(current.AvatarUrl),
                Metadata = metadata?.Value,
                Now = clock.GetCurrentInstant(),
            },
            ct);
        return new Me(saved, new Limits(limits), policies);
    }
}
