using Dapper;
using Messaging.Infrastructure.Database;

namespace Messaging.Infrastructure.Bus;

/// <summary>The key that this installation's nodes share, and nobody else who reaches the bus.</summary>
public sealed class BusKey(DirectDataSource database)
{
    // One row.
    private const string SecretSql =
        """
        SELECT secret
        FROM bus_key
        """;

    private byte[]? known;

    public async Task<byte[]> GetAsync(CancellationToken ct)
    {
        if (known is null)
        {
            await using var connection = await database.Value.OpenConnectionAsync(ct);
            known = await connection.QuerySingleAsync<byte[]>(new CommandDefinition(SecretSql, cancellationToken: ct));
        }
        return known;
    }
}
