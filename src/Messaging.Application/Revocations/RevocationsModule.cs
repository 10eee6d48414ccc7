using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Messaging.Application.Revocations;

/// <summary>What was revoked, as this node knows it.</summary>
public sealed class RevocationsModule : Module
{
    // No token of a key or a login lives longer than a day; those of a user may be the host's own and live as long as it likes.
    // Index: ix_revocations_kind_revoked_at.
    private const string RevocationsSql =
        """
        DELETE FROM revocations
        WHERE ctid = ANY (ARRAY(
            SELECT ctid
            FROM revocations
            WHERE kind IN ('key', 'session', 'connections') AND revoked_at < @Before
            LIMIT @Limit))
        """;

    public override IReadOnlyList<string> Tables { get; } = ["revocations"];

    public override IReadOnlyList<OldRows> OldRows { get; } = [new(RevocationsSql, Duration.FromDays(2))];

    public override void AddServices(IServiceCollection services) => services.AddSingleton<RevocationList>();
}
