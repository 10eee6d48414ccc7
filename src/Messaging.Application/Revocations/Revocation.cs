using NodaTime;

namespace Messaging.Application.Revocations;

/// <summary>What is revoked. As words in the database.</summary>
public enum RevocationKind
{
    /// <summary>A service key, by its id: its connections, and the tokens that it minted.</summary>
    Key,

    /// <summary>A login of a built-in account.</summary>
    Session,

    /// <summary>The tokens of a user that were issued up to then.</summary>
    Tokens,

    /// <summary>All that is open of a user at that moment, whatever it was opened with.</summary>
    Connections,
}

public record Revocation(RevocationKind Kind, string Subject, Instant RevokedAt);

/// <summary>What statements that revoke share.</summary>
public static class RevocationSql
{
    /// <summary>Revokes the logins whose refresh tokens the part named <c>ended</c> has deleted.</summary>
    public const string OfEndedLogins =
        """
        INSERT INTO revocations (kind, subject)
        SELECT 'session', encode(family_hash, 'hex')
        FROM ended
        RETURNING kind, subject, revoked_at
        """;
}
