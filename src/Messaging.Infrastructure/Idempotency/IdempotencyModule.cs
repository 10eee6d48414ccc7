using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Messaging.Infrastructure.Idempotency;

/// <summary>Stored answers to repeated requests.</summary>
public sealed class IdempotencyModule : Module
{
    // Index: ix_idempotency_keys_created_at.
    private const string OldAnswersSql =
        """
        DELETE FROM idempotency_keys
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM idempotency_keys WHERE created_at < @Before LIMIT @Limit))
        """;

    public override IReadOnlyList<string> Tables { get; } = ["idempotency_keys"];

    public override IReadOnlyList<OldRows> OldRows { get; } = [new(OldAnswersSql, Duration.FromHours(48))];

    public override void AddServices(IServiceCollection services) => services.AddScoped<IdempotencyStore>();
}
