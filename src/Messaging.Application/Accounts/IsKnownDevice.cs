using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Accounts;

namespace Messaging.Application.Accounts;

/// <summary>Whether the refresh token is the last one that a device was given for the account of the username, be it over.</summary>
public sealed record IsKnownDevice(string Username, RefreshToken Device) : IQuery<bool>;

public sealed class IsKnownDeviceHandler(DbSession session) : IRequestHandler<IsKnownDevice, bool>
{
    // pk_refresh_tokens, pk_accounts.
    private const string KnownSql =
        """
        SELECT EXISTS (
            SELECT 1
            FROM refresh_tokens AS t
            JOIN accounts AS a ON a.user_id = t.user_id
            WHERE t.family_hash = @FamilyHash AND t.token_hash = @TokenHash AND lower(a.username) = @Name)
        """;

    public Task<bool> Handle(IsKnownDevice query, CancellationToken ct) => session.QuerySingleAsync<bool>(
        KnownSql,
        new { FamilyHash = query.Device.FamilyHash(), TokenHash = query.Device.Hash(), Name = query.Username.ToLowerInvariant() },
        ct);
}
