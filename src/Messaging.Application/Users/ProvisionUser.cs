using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Revocations;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Users;

/// <summary>
/// A token named this user: the first that does makes the user, with what it says of them; a user who is there stays as they are.
/// A name that is too long is cut, an address that is none left out: a token is not refused for its decoration. False, and nobody is
/// made, when the token was revoked.
/// </summary>
/// <param name="Token">Its key, if any, is one of those in the database.</param>
public sealed record ProvisionUser(UserId UserId, Credential Token, string? DisplayName, string? AvatarUrl) : ICommand<bool>;

public sealed class ProvisionUserHandler(DbSession session, IClock clock) : IRequestHandler<ProvisionUser, bool>
{
    // pk_users, pk_revocations and pk_service_keys.
    private const string SeeSql =
        """
        WITH revoked AS (
            SELECT FROM revocations
            WHERE kind = 'tokens' AND subject = @UserId AND date_trunc('second', revoked_at) >= @IssuedAt
            UNION ALL
            SELECT FROM revocations
            WHERE kind = 'session' AND subject = @Session
            UNION ALL
            SELECT
            WHERE @ServiceKeyId::text IS NOT NULL AND NOT EXISTS (SELECT FROM service_keys WHERE id = @ServiceKeyId AND revoked_at IS NULL)
        ), seen AS (
            INSERT INTO users (id, display_name, avatar_url, created_at, updated_at)
            SELECT @UserId, @DisplayName, @AvatarUrl, @Now, @Now
            WHERE NOT EXISTS (SELECT FROM revoked)
            ON CONFLICT (id) DO NOTHING
        )
        SELECT NOT EXISTS (SELECT FROM revoked)
        """;

    public async Task<bool> Handle(ProvisionUser command, CancellationToken ct)
    {
        var name = command.DisplayName is { } text && StrictText.IsStorable(text) ? StrictText.First(text, ProfileRules.NameLength) : null;
        var url = command.AvatarUrl is { } address && StrictText.IsStorable(address) && WebAddress.IsValidOrNull(address) ? address : null;
        return await session.QuerySingleAsync<bool>(
            SeeSql,
            new
            {
                UserId = command.UserId.Value,
                command.Token.IssuedAt,
                command.Token.Session,
                command.Token.ServiceKeyId,
                DisplayName = name,
                AvatarUrl = url,
                Now = clock.GetCurrentInstant(),
            },
            ct);
    }
}
