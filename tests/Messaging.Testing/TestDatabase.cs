using Npgsql;

namespace Messaging.Testing;

/// <summary>A migrated database of one fixture; disposing drops it, whoever is still connected.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    readonly Func<Task> drop;

    internal TestDatabase(string connectionString, Func<Task> drop)
    {
        this.drop = drop;
        ConnectionString = connectionString;
        DataSource = new NpgsqlDataSourceBuilder(connectionString) { Name = "test" }.Build();
    }

    public string ConnectionString { get; }

    public NpgsqlDataSource DataSource { get; }

    public async ValueTask DisposeAsync()
    {
        await DataSource.DisposeAsync();
        await drop();
    }
}
