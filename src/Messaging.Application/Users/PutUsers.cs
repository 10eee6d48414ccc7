using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Users;

/// <summary>Creates users or replaces their whole profiles: all or none. Answers them in the order in which they were given.</summary>
public sealed record PutUsers(IReadOnlyList<PutUser> Users) : ICommand<IReadOnlyList<UserProfile>>;

public sealed class PutUsersValidator : AbstractValidator<PutUsers>
{
    public PutUsersValidator(LimitSettings limits)
    {
        RuleFor(r => r.Users).Must(users => users.Count <= 1_000).WithMessage("At most 1,000 users are expected.");
        When(r => r.Users.Count <= 1_000, () =>
        {
            RuleForEach(r => r.Users).SetValidator(new PutUserValidator(limits));
            RuleFor(r => r.Users).Custom((users, context) =>
            {
                var seen = new HashSet<UserId>();
                for (var i = 0; i < users.Count; i++)
                {
                    if (!seen.Add(users[i].UserId))
                        context.AddFailure($"Users[{i}].UserId", $"'{users[i].UserId}' is in the list already.");
                }
            });
        });
    }
}

public sealed class PutUsersHandler(DbSession session, IClock clock) : IRequestHandler<PutUsers, IReadOnlyList<UserProfile>>
{
    // Locks the users' rows, in the order of their ids, so that two of these at once do not wait for each other.
    private const string PutSql =
        $"""
        INSERT INTO users AS u (id, display_name, first_name, last_name, avatar_url, metadata, created_at, updated_at)
        SELECT p.id, p.display_name, p.first_name, p.last_name, p.avatar_url, p.metadata::jsonb, @Now, @Now
        FROM unnest(@Ids::text[], @DisplayNames::text[], @FirstNames::text[], @LastNames::text[], @AvatarUrls::text[], @Metadata::text[])
            AS p (id, display_name, first_name, last_name, avatar_url, metadata)
        ORDER BY p.id COLLATE "C"
        ON CONFLICT (id) DO UPDATE
        SET display_name = excluded.display_name,
            first_name = excluded.first_name,
            last_name = excluded.last_name,
            avatar_url = excluded.avatar_url,
            metadata = excluded.metadata,
            updated_at = excluded.updated_at
        RETURNING {ProfileSql.Columns}
        """;

    public async Task<IReadOnlyList<UserProfile>> Handle(PutUsers command, CancellationToken ct)
    {
        var users = command.Users;
        var rows = await session.QueryAsync<UserProfile>(
            PutSql,
            new
            {
                Ids = users.Select(u => u.UserId.Value).ToArray(),
                DisplayNames = users.Select(u => u.DisplayName).ToArray(),
                FirstNames = users.Select(u => u.FirstName).ToArray(),
                LastNames = users.Select(u => u.LastName).ToArray(),
                AvatarUrls = users.Select(u => u.AvatarUrl).ToArray(),
                Metadata = users.Select(u => u.Metadata?.Value).ToArray(),
                Now = clock.GetCurrentInstant(),
            },
            ct);
        var byId = rows.ToDictionary(row => row.UserId);
        return [.. users.Select(user => byId[user.UserId])];
    }
}
