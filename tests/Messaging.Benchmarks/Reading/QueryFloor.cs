using Npgsql;

namespace Messaging.Benchmarks.Reading;

/// <summary>Statements of a read alone, prepared, on a connection of their own; one of some sets of parameters by chance.</summary>
/// <param name="sql">What is asked first; several statements are one round trip.</param>
/// <param name="sets">The values of its parameters.</param>
/// <param name="thenSql">What is asked with the ids in the first column of the answer, if anything.</param>
sealed class QueryFloor(string sql, NpgsqlParameter[][] sets, string? thenSql, int number) : IAsyncDisposable
{
    readonly Random random = new(number);
    readonly List<NpgsqlCommand> commands = [];
    NpgsqlConnection? connection;
    NpgsqlCommand? then;

    public async Task OpenAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        connection = await database.OpenConnectionAsync(ct);
        foreach (var set in sets)
        {
            var command = new NpgsqlCommand(sql, connection);
            command.Parameters.AddRange(set.Select(parameter => parameter.Clone()).ToArray());
            commands.Add(command);
        }

        if (thenSql is not null)
        {
            then = new NpgsqlCommand(thenSql, connection);
            then.Parameters.AddWithValue("ConversationIds", Array.Empty<Guid>());
            then.Parameters.AddWithValue("UserId", "");
            then.Parameters.AddWithValue("Receipts", true);
            await then.PrepareAsync(ct);
        }

        foreach (var command in commands)
            await command.PrepareAsync(ct);
    }

    public async ValueTask<bool> ReadAsync()
    {
        var ids = new List<Guid>();
        if (await ReadAsync(commands[random.Next(commands.Count)], then is null ? null : ids) == 0)
            return false;
        if (then is null)
            return true;
        then.Parameters[0].Value = ids.ToArray();
        return await ReadAsync(then, ids: null) > 0;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var command in commands)
            await command.DisposeAsync();
        if (then is not null)
            await then.DisposeAsync();
        if (connection is not null)
            await connection.DisposeAsync();
    }

    static async Task<int> ReadAsync(NpgsqlCommand command, List<Guid>? ids)
    {
        var rows = 0;
        await using var reader = await command.ExecuteReaderAsync();
        do
        {
            for (; await reader.ReadAsync(); rows++)
                ids?.Add(reader.GetGuid(0));
        }
        while (await reader.NextResultAsync());
        return rows;
    }
}
