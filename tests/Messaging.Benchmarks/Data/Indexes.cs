using Npgsql;

namespace Messaging.Benchmarks.Data;

/// <summary>The keys and indexes of some tables, taken away while they are filled and made again as they were.</summary>
sealed class Indexes
{
    // Primary keys before what refers to them, from whichever table. An index of a partitioned table is told as ON ONLY, which would leave
    // its partitions out.
    const string FindSql = """
        SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname),
            format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)),
            c.contype = 'f' AS last
        FROM pg_constraint c
        WHERE (c.conrelid = ANY(@Tables::regclass[]) AND c.contype IN ('p', 'u', 'f'))
            OR (c.confrelid = ANY(@Tables::regclass[]) AND c.contype = 'f')
        UNION ALL
        SELECT format('DROP INDEX %s', i.indexrelid::regclass), replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON '), false
        FROM pg_index i
        WHERE i.indrelid = ANY(@Tables::regclass[])
            AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u'))
        ORDER BY last
        """;

    readonly List<(string Drop, string Add)> statements = [];

    public IEnumerable<string> Definitions => statements.Select(statement => statement.Add);

    public static async Task<Indexes> OfAsync(NpgsqlDataSource database, string[] tables, CancellationToken ct)
    {
        var indexes = new Indexes();
        await using var command = database.CreateCommand(FindSql);
        command.Parameters.AddWithValue("Tables", tables);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            indexes.statements.Add((reader.GetString(0), reader.GetString(1)));
        return indexes;
    }

    public async Task DropAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        foreach (var (drop, _) in Enumerable.Reverse(statements))
        {
            await using var command = database.CreateCommand(drop);
            await command.ExecuteNonQueryAsync(ct);
        }
    }
}
