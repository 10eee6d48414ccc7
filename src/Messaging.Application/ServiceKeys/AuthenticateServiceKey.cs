using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;

namespace Messaging.Application.ServiceKeys;

/// <summary>Asks what a key may do and whether the user it acts as is known; null for a key that is unknown, wrong or revoked.</summary>
public sealed record AuthenticateServiceKey(ServiceKey Key, UserId? ActAs) : IQuery<AuthenticatedServiceKey?>;

/// <summary>What a key that was found good may do.</summary>
/// <param name="ActAsKnown">True as well when the key acts as no user.</param>
public sealed record AuthenticatedServiceKey(IReadOnlyList<Scope> Scopes, bool ActAsKnown);

public sealed class AuthenticateServiceKeyHandler(DbSession session) : IRequestHandler<AuthenticateServiceKey, AuthenticatedServiceKey?>
{
    // pk_service_keys and pk_users. Read on every request and never cached: revocation holds from the next request on, on every node.
    private const string KeySql =
        """
        SELECT
            secret_hash,
            scopes,
            @ActAs::text IS NULL OR EXISTS (SELECT 1 FROM users WHERE id = @ActAs) AS act_as_known
        FROM service_keys
        WHERE id = @Id AND revoked_at IS NULL
        """;

    private sealed record KeyRow(byte[] SecretHash, string[] Scopes, bool ActAsKnown);

    public async Task<AuthenticatedServiceKey?> Handle(AuthenticateServiceKey query, CancellationToken ct)
    {
        var row = await session.QuerySingleOrDefaultAsync<KeyRow>(KeySql, new { query.Key.Id, ActAs = query.ActAs?.Value }, ct);
        return row is not null && query.Key.Matches(row.SecretHash)
            ? new AuthenticatedServiceKey(ScopeNames.ParseKnown(row.Scopes), row.ActAsKnown)
            : null;
    }
}
