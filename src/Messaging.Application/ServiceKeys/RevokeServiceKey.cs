using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using NodaTime;

namespace Messaging.Application.ServiceKeys;

/// <summary>Refuses the key from now on, on every node. Revoking it again changes nothing.</summary>
public sealed record RevokeServiceKey(string Id) : IStatementCommand<Done>;

public sealed class RevokeServiceKeyHandler(DbSession session, IClock clock) : IRequestHandler<RevokeServiceKey, Done>
{
    // pk_service_keys.
    private const string RevokeSql =
        """
        UPDATE service_keys
        SET revoked_at = coalesce(revoked_at, @Now)
        WHERE id = @Id
        """;

    public async Task<Done> Handle(RevokeServiceKey command, CancellationToken ct)
    {
        // Text that is no id may be text that PostgreSQL cannot even be asked for.
        if (!ServiceKey.IsValidId(command.Id)
            || await session.ExecuteAsync(RevokeSql, new { command.Id, Now = clock.GetCurrentInstant() }, ct) == 0)
        {
            throw new RuleException(new Problem(ProblemCodes.NotFound, "There is no such key."));
        }
        return default;
    }
}
