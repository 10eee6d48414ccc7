using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Accounts;

namespace Messaging.Application.Accounts;

/// <summary>Ends the login that the refresh token is of. What is no token, or of no login, is logged out already.</summary>
public sealed record LogOut(string RefreshToken) : IStatementCommand<Done>;

public sealed class LogOutHandler(DbSession session) : IRequestHandler<LogOut, Done>
{
    // pk_refresh_tokens. Any token of the family will do: one that was used before is a reason all the more to end it.
    private const string RevokeSql =
        """
        DELETE FROM refresh_tokens
        WHERE family_hash = @FamilyHash
        """;

    public async Task<Done> Handle(LogOut command, CancellationToken ct)
    {
        if (RefreshToken.TryParse(command.RefreshToken, out var token))
            await session.ExecuteAsync(RevokeSql, new { FamilyHash = token.FamilyHash() }, ct);
        return default;
    }
}
