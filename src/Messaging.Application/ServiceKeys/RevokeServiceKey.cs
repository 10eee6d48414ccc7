using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Revocations;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using NodaTime;

namespace Messaging.Application.ServiceKeys;

/// <summary>
/// Refuses the key from now on, on every node, and the tokens that it minted; what is open with either is closed. Revoking it again
/// changes nothing.
/// </summary>
public sealed record RevokeServiceKey(string Id) : ICommand<Done>;

public sealed class RevokeServiceKeyHandler(DbSession session, RevocationList revocations, IClock clock)
    : IRequestHandler<RevokeServiceKey, Done>
{
    // pk_service_keys and pk_revocations.
    private const string RevokeSql =
        """
        WITH revoked AS (
            UPDATE service_keys
            SET revoked_at = coalesce(revoked_at, @Now)
            WHERE id = @Id
            RETURNING id, revoked_at
        ), told AS (
            INSERT INTO revocations (kind, subject)
            SELECT 'key', id
            FROM revoked
            ON CONFLICT (kind, subject) DO NOTHING
        )
        SELECT 'key' AS kind, id AS subject, revoked_at
        FROM revoked
        """;

    public async Task<Done> Handle(RevokeServiceKey command, CancellationToken ct)
    {
        var now = clock.GetCurrentInstant();
        // Text that is no id may be text that PostgreSQL cannot even be asked for.
        var revoked = ServiceKey.IsValidId(command.Id)
            ? await session.QuerySingleOrDefaultAsync<Revocation>(RevokeSql, new { command.Id, Now = now }, ct)
            : null;
        if (revoked is null)
            throw new RuleException(new Problem(ProblemCodes.NotFound, "There is no such key."));
        revocations.AddAfterCommit(session, revoked);
        return default;
    }
}
