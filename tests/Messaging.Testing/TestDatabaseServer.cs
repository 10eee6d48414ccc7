using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Npgsql;

namespace Messaging.Testing;

/// <summary>
/// The PostgreSQL of this test process: the one that MESSAGING_TEST_DATABASE names, else an <see cref="OwnServer"/>.
/// Templates are migrated once per process, and a clean database is copied from one in about 0.1 s; where the given role may
/// create no databases, see <see cref="GivenDatabase"/>. The assembly's last teardown calls <see cref="StopAsync"/>: the test
/// host is not given the time to do it while it exits.
/// </summary>
public static class TestDatabaseServer
{
    public const string Variable = "MESSAGING_TEST_DATABASE";

    static readonly string Run = $"{Environment.ProcessId}_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))}";
    static readonly ConcurrentDictionary<Func<string, Task>, Lazy<Task<string>>> Templates = new();
    static readonly ConcurrentDictionary<string, bool> Made = new(StringComparer.Ordinal);
    static readonly SemaphoreSlim Starting = new(1);
    static readonly Lazy<Task<GivenDatabase?>> Given = new(async () =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given ? await GivenDatabase.FindAsync(given) : null);

    static OwnServer? server;
    static int last;

    /// <summary>A copy of the database that <paramref name="migrate"/> fills; it is called once per process and delegate.</summary>
    public static async Task<TestDatabase> CreateDatabaseAsync(Func<string, Task> migrate)
    {
        if (await Given.Value is { } given)
            return await given.TakeAsync(migrate);
        var template = await Templates.GetOrAdd(migrate, _ => new(() => CreateTemplateAsync(migrate))).Value;
        var name = Name("test");
        // WAL_LOG copies a small template without the two checkpoints that the other strategy waits for.
        await CreateAsync(name, $"TEMPLATE {template} STRATEGY WAL_LOG");
        return new(await ConnectionStringAsync(name), () => DropAsync(name));
    }

    /// <summary>An empty database.</summary>
    public static async Task<TestDatabase> CreateEmptyDatabaseAsync()
    {
        if (await Given.Value is { } given)
            return await given.TakeAsync(migrate: null);
        var name = Name("test");
        await CreateAsync(name, "TEMPLATE template0");
        return new(await ConnectionStringAsync(name), () => DropAsync(name));
    }

    /// <summary>Drops all databases that this process made and did not drop, and stops its own server.</summary>
    public static async Task StopAsync()
    {
        foreach (var name in Made.Keys)
            await DropAsync(name);
        Templates.Clear();

        await Starting.WaitAsync();
        try
        {
            if (server is not null)
                await server.DisposeAsync();
            server = null;
        }
        finally
        {
            Starting.Release();
        }
    }

    static async Task<string> CreateTemplateAsync(Func<string, Task> migrate)
    {
        var name = Name("template");
        await CreateAsync(name, "TEMPLATE template0");
        var connectionString = await ConnectionStringAsync(name);
        await migrate(connectionString);

        // A template with a connection left in some pool cannot be copied. An autovacuum is not ours to end; copying ends it.
        await ExecuteAsync($"ALTER DATABASE {name} ALLOW_CONNECTIONS false");
        await ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND usename = current_user");
        return name;
    }

    static string Name(string kind) => string.Create(CultureInfo.InvariantCulture, $"{kind}_{Run}_{Interlocked.Increment(ref last)}");

    static async Task CreateAsync(string name, string how)
    {
        await ExecuteAsync($"CREATE DATABASE {name} {how}");
        Made[name] = true;
    }

    static async Task DropAsync(string name)
    {
        if (!Made.TryRemove(name, out _))
            return;
        // Not WITH (FORCE): that asks for the right to end an autovacuum too, which the plain form waits for. Nobody comes back meanwhile.
        await ExecuteAsync($"ALTER DATABASE {name} ALLOW_CONNECTIONS false");
        await ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND usename = current_user");
        await ExecuteAsync($"DROP DATABASE IF EXISTS {name}");
    }

    static async Task ExecuteAsync(string sql)
    {
        // Without a pool: an idle connection would keep the server's own database from being a template or dropped.
        await using var connection = new NpgsqlConnection(await ConnectionStringAsync(database: null, pooling: false));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    static async Task<string> ConnectionStringAsync(string? database, bool pooling = true)
    {
        var builder = new NpgsqlConnectionStringBuilder(await ServerAsync()) { Pooling = pooling };
        if (database is not null)
            builder.Database = database;
        return builder.ConnectionString;
    }

    static async Task<string> ServerAsync()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given)
            return given;

        await Starting.WaitAsync();
        try
        {
            server ??= await OwnServer.StartAsync();
            return server.ConnectionString;
        }
        finally
        {
            Starting.Release();
        }
    }
}
