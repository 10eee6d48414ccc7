using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Users;

/// <summary>A token for a user of a host product that does not make its own.</summary>
/// <param name="ServiceKeyId">The key that mints it, with which it dies; null on the command line.</param>
public sealed record MintToken(UserId UserId, int TtlSeconds, string? ServiceKeyId) : IQuery<MintedToken>
{
    public const int DefaultTtlSeconds = 3_600;
    public const int MaxTtlSeconds = 86_400;
}

public sealed record MintedToken(string Token, Instant ExpiresAt);

/// <summary>What a token of this service's own says.</summary>
/// <param name="ServiceKeyId">The key that minted it.</param>
/// <param name="Session">The login that it is of.</param>
/// <param name="EndedAt">Up to which second the user's tokens have ended, where the database was asked.</param>
public sealed record NewToken(
    UserId UserId, Instant IssuedAt, Instant ExpiresAt, string? ServiceKeyId = null, string? Session = null, Instant? EndedAt = null);

/// <summary>Signs a token with the shared secret; refuses where none is configured, and while a minted one would begin too late.</summary>
public delegate string UserTokenSigner(NewToken token);

public sealed class MintTokenValidator : AbstractValidator<MintToken>
{
    public MintTokenValidator() =>
        RuleFor(r => r.TtlSeconds)
            .InclusiveBetween(1, MintToken.MaxTtlSeconds)
            .WithMessage($"A number from 1 to {MintToken.MaxTtlSeconds} is expected.");
}

public sealed class MintTokenHandler(DbSession session, UserTokenSigner sign) : IRequestHandler<MintToken, MintedToken>
{
    // pk_users, pk_revocations. By the clock that says what is revoked; this node may not know yet what another one revoked.
    private const string NowSql =
        """
        SELECT clock_timestamp() AS now, date_trunc('second', r.revoked_at) AS ended_at
        FROM users u
        LEFT JOIN revocations r ON r.kind = 'tokens' AND r.subject = u.id
        WHERE u.id = @UserId
        """;

    public async Task<MintedToken> Handle(MintToken query, CancellationToken ct)
    {
        var at = await session.QuerySingleOrDefaultAsync<Row>(NowSql, new { UserId = query.UserId.Value }, ct)
            ?? throw new RuleException(new Problem(ProblemCodes.NotFound, $"There is no user '{query.UserId}'."));
        // A token's times are whole seconds.
        var issuedAt = Instant.FromUnixTimeSeconds(at.Now.ToUnixTimeSeconds());
        var expiresAt = issuedAt + Duration.FromSeconds(query.TtlSeconds);
        return new MintedToken(sign(new NewToken(query.UserId, issuedAt, expiresAt, query.ServiceKeyId, EndedAt: at.EndedAt)), expiresAt);
    }

    private sealed record Row(Instant Now, Instant? EndedAt);
}
