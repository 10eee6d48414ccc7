using DotNet.Testcontainers.Builders;
using Messaging.Postgres;
using Npgsql;
using Testcontainers.PostgreSql;

namespace Messaging.Testing;

/// <summary>
/// The PostgreSQL of tests that were given none: a container where a Docker engine answers, else a private cluster of the
/// installed programs. Either goes with this process.
/// </summary>
public sealed class OwnServer : IAsyncDisposable
{
    const string Image = "postgres:15.18";
    const string Role = "messaging";

    readonly IAsyncDisposable server;

    OwnServer(IAsyncDisposable server, string connectionString, string adminConnectionString)
    {
        this.server = server;
        ConnectionString = connectionString;
        AdminConnectionString = adminConnectionString;
    }

    /// <summary>As the role <c>messaging</c>, which owns its database and may create others, and roles.</summary>
    public string ConnectionString { get; }

    /// <summary>As the superuser.</summary>
    public string AdminConnectionString { get; }

    public bool IsContainer => server is PostgreSqlContainer;

    public static async Task<OwnServer> StartAsync()
    {
        if (Container() is { } container)
            return await StartAsync(container);
        var cluster = await PrivatePostgres.StartAsync(PrivatePostgresOptions.ThrowAway, CancellationToken.None);
        return new(cluster, cluster.ConnectionString, cluster.AdminConnectionString);
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    // Building asks for the engine. Within one process the second asking takes no time.
    static PostgreSqlContainer? Container()
    {
        try
        {
            // As fast, and with room for as many, as the private cluster.
            string[] settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=400"];
            return new PostgreSqlBuilder(Image).WithCommand([.. settings.SelectMany(setting => (string[])["-c", setting])]).Build();
        }
        catch (DockerUnavailableException)
        {
            return null;
        }
    }

    static async Task<OwnServer> StartAsync(PostgreSqlContainer container)
    {
        try
        {
            await container.StartAsync();
            var admin = new NpgsqlConnectionStringBuilder(container.GetConnectionString());
            await using var source = NpgsqlDataSource.Create(admin.ConnectionString + ";Pooling=false");
            // One statement each: creating a database cannot be part of a transaction.
            await using var role = source.CreateCommand($"CREATE ROLE {Role} LOGIN CREATEDB CREATEROLE PASSWORD '{admin.Password}'");
            await role.ExecuteNonQueryAsync();
            await using var database = source.CreateCommand($"CREATE DATABASE {Role} OWNER {Role}");
            await database.ExecuteNonQueryAsync();
            var own = new NpgsqlConnectionStringBuilder(admin.ConnectionString) { Username = Role, Database = Role };
            return new(container, own.ConnectionString, admin.ConnectionString);
        }
        catch
        {
            await container.DisposeAsync();
            throw;
        }
    }
}
