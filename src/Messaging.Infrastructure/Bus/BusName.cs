using Dapper;
using Messaging.Infrastructure.Database;

namespace Messaging.Infrastructure.Bus;

/// <summary>What this installation's nodes, and no others, call the bus on a broker that they may share with others.</summary>
public sealed class BusName(BusSettings settings, DirectDataSource database)
{
    // Stays through restarts, upgrades and a failover to a replica: all nodes must agree whenever they ask.
    private const string IdentitySql =
        """
        SELECT system_identifier || '-' || (SELECT oid FROM pg_database WHERE datname = current_database())
        FROM pg_control_system()
        """;

    private string? known = settings.Name;

    public async Task<string> GetAsync(CancellationToken ct)
    {
        if (known is null)
        {
            await using var connection = await database.Value.OpenConnectionAsync(ct);
            known = await connection.ExecuteScalarAsync<string>(new CommandDefinition(IdentitySql, cancellationToken: ct));
        }
        return $"messaging.{known}";
    }
}
