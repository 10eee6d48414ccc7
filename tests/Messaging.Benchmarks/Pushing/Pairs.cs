using Npgsql;

namespace Messaging.Benchmarks.Pushing;

/// <summary>Direct conversations of which no two have a member in common.</summary>
sealed record Pair(Guid Conversation, string One, string Other)
{
    const string FindSql = """
        SELECT c.id, min(p.user_id), max(p.user_id)
        FROM conversations c
        JOIN participants p ON p.conversation_id = c.id
        WHERE c.type = 'direct'
        GROUP BY c.id
        ORDER BY md5(c.id::text)
        LIMIT @Limit
        """;

    public static async Task<IReadOnlyList<Pair>> FindAsync(NpgsqlDataSource database, int count, CancellationToken ct)
    {
        await using var command = database.CreateCommand(FindSql);
        command.Parameters.AddWithValue("Limit", count * 20);
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var pairs = new List<Pair>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (pairs.Count < count && await reader.ReadAsync(ct))
        {
            var pair = new Pair(reader.GetGuid(0), reader.GetString(1), reader.GetString(2));
            if (taken.Contains(pair.One) || taken.Contains(pair.Other))
                continue;
            taken.Add(pair.One);
            taken.Add(pair.Other);
            pairs.Add(pair);
        }

        return pairs;
    }
}
