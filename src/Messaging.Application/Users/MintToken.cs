using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Users;

/// <summary>A token for a user of a host product that does not make its own.</summary>
public sealed record MintToken(UserId UserId, int TtlSeconds) : IQuery<MintedToken>
{
    public const int DefaultTtlSeconds = 3_600;
    public const int MaxTtlSeconds = 86_400;
}

public sealed record MintedToken(string Token, Instant ExpiresAt);

/// <summary>Signs a token with the shared secret; refuses where none is configured.</summary>
public delegate string UserTokenSigner(UserId userId, Instant issuedAt, Instant expiresAt);

public sealed class MintTokenValidator : AbstractValidator<MintToken>
{
    public MintTokenValidator() =>
        RuleFor(r => r.TtlSeconds)
            .InclusiveBetween(1, MintToken.MaxTtlSeconds)
            .WithMessage($"A number from 1 to {MintToken.MaxTtlSeconds} is expected.");
}

public sealed class MintTokenHandler(DbSession session, UserTokenSigner sign, IClock clock) : IRequestHandler<MintToken, MintedToken>
{
    // pk_users.
    private const string ExistsSql =
        """
        SELECT EXISTS (SELECT 1 FROM users WHERE id = @UserId)
        """;

    public async Task<MintedToken> Handle(MintToken query, CancellationToken ct)
    {
        if (!await session.QuerySingleAsync<bool>(ExistsSql, new { UserId = query.UserId.Value }, ct))
            throw new RuleException(new Problem(ProblemCodes.NotFound, $"There is no user '{query.UserId}'."));
        // A token's times are whole seconds.
        var now = Instant.FromUnixTimeSeconds(clock.GetCurrentInstant().ToUnixTimeSeconds());
        var expiresAt = now + Duration.FromSeconds(query.TtlSeconds);
        return new MintedToken(sign(query.UserId, now, expiresAt), expiresAt);
    }
}
