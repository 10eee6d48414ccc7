using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Users;

/// <summary>Creates a user or replaces the whole profile: a member that is left out is cleared.</summary>
public sealed record PutUser(
    UserId UserId, string? DisplayName, string? FirstName, string? LastName, string? AvatarUrl, JsonText? Metadata)
    : ICommand<Upserted<UserProfile>>;

public sealed class PutUserValidator : AbstractValidator<PutUser>
{
    public PutUserValidator(LimitSettings limits)
    {
        RuleFor(r => r.DisplayName).IsName();
        RuleFor(r => r.FirstName).IsName();
        RuleFor(r => r.LastName).IsName();
        RuleFor(r => r.AvatarUrl).IsWebAddress();
        RuleFor(r => r.Metadata).IsMetadata(limits);
    }
}

public sealed class PutUserHandler(DbSession session, IClock clock) : IRequestHandler<PutUser, Upserted<UserProfile>>
{
    // Locks the user's row.
    private const string PutSql =
        $"""
        INSERT INTO users AS u (id, display_name, first_name, last_name, avatar_url, metadata, created_at, updated_at)
        VALUES (@UserId, @DisplayName, @FirstName, @LastName, @AvatarUrl, @Metadata::jsonb, @Now, @Now)
        ON CONFLICT (id) DO UPDATE
        SET display_name = excluded.display_name,
            first_name = excluded.first_name,
            last_name = excluded.last_name,
            avatar_url = excluded.avatar_url,
            metadata = excluded.metadata,
            updated_at = excluded.updated_at
        RETURNING {ProfileSql.Columns}
        """;

    public async Task<Upserted<UserProfile>> Handle(PutUser command, CancellationToken ct)
    {
        var now = clock.GetCurrentInstant();
        var profile = await session.QuerySingleAsync<UserProfile>(
            PutSql,
            new
            {
                UserId = command.UserId.Value,
                command.DisplayName,
                command.FirstName,
                command.LastName,
                command.AvatarUrl,
                Metadata = command.Metadata?.Value,
                Now = now,
            },
            ct);
        return new Upserted<UserProfile>(profile, Created: profile.CreatedAt == now);
    }
}
