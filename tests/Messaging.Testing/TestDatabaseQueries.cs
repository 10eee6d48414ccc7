using Npgsql;

namespace Messaging.Testing;

public static class TestDatabaseQueries
{
    /// <summary>Returns once every event that was committed stands in the feed.</summary>
    public static async Task DrainedAsync(this TestDatabase database)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await using var waiting = database.DataSource.CreateCommand("SELECT count(*) FROM outbox");
        while ((long)(await waiting.ExecuteScalarAsync(patience.Token))! > 0)
            await timer.WaitForNextTickAsync(patience.Token);
    }

    /// <summary>The rows of a query, for checks past the service.</summary>
    public static async Task<List<T>> RowsAsync<T>(this TestDatabase database, string sql, Func<NpgsqlDataReader, T> read)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
            rows.Add(read(reader));
        return rows;
    }
}
