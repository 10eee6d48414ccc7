using Npgsql;

namespace Messaging.Migrations.Tests;

/// <summary>An empty database of a test's own, dropped when it ends.</summary>
sealed record TestDatabase(string Name, string ConnectionString) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => new(TestServer.DropDatabaseAsync(Name));

    public Migrator Migrator(ScriptSet scripts, TextWriter? output = null, MigratorOptions? options = null) =>
        new(ConnectionString, scripts, output, options);

    public async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T?> ScalarAsync<T>(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    public async Task<List<string>> LinesAsync(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await reader.ReadAsync())
            lines.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(field => reader[field].ToString())));
        return lines;
    }

    /// <summary>Asks every 20 ms until a query answers true; the test's own time limit ends a wait in vain.</summary>
    public async Task UntilAsync(string sql)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await ScalarAsync<bool>(sql))
            await timer.WaitForNextTickAsync(limit.Token);
    }
}

/// <summary>The owner of a test's database, dropped with all that it owns there when the test ends.</summary>
sealed record TestOwner(string Name, TestDatabase Database, string ConnectionString) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await Database.ExecuteAsync($"REASSIGN OWNED BY {Name} TO CURRENT_USER; DROP OWNED BY {Name}");
        await TestServer.DropRoleAsync(Name);
    }
}
