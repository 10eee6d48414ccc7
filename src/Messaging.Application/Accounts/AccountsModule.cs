using Messaging.Application.Common;
using NodaTime;

namespace Messaging.Application.Accounts;

/// <summary>Built-in accounts.</summary>
public sealed class AccountsModule : Module
{
    // Index: ix_refresh_tokens_expires_at.
    private const string RefreshTokensSql =
        """
        DELETE FROM refresh_tokens
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM refresh_tokens WHERE expires_at < @Before LIMIT @Limit))
        """;

    // Index: ix_login_failures_ends_at.
    private const string LoginFailuresSql =
        """
        DELETE FROM login_failures
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM login_failures WHERE ends_at < @Before LIMIT @Limit))
        """;

    public override IReadOnlyList<string> Tables { get; } = ["accounts", "refresh_tokens", "login_failures"];

    // A registration makes its user; a login that ends is revoked.
    public override IReadOnlyList<string> AlsoWrites { get; } = ["users", "revocations", "devices"];

    // A token that is over still tells the account's devices from strangers.
    public override IReadOnlyList<OldRows> OldRows { get; } =
        [new(RefreshTokensSql, Duration.FromDays(30)), new(LoginFailuresSql, Duration.Zero)];
}
