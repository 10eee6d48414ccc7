using System.Diagnostics;
using System.Globalization;
using Messaging.Infrastructure.Database;
using Messaging.Migrations;
using Messaging.Postgres;
using Npgsql;

namespace Messaging.Benchmarks.Data;

/// <summary>A durable private PostgreSQL with the data of a <see cref="Shape"/>: loaded now, or kept from an earlier run.</summary>
sealed class BenchmarkDatabase : IAsyncDisposable
{
    readonly PrivatePostgres server;

    BenchmarkDatabase(PrivatePostgres server)
    {
        this.server = server;
        // The service's own settings, so that the floor runs the same plans; it prepares its statements itself.
        DataSource = NpgsqlDataSource.Create(ConnectionStrings.ForCommands(
            new NpgsqlConnectionStringBuilder(
                server.ConnectionString) { MaxPoolSize = 80, CommandTimeout = 300, MaxAutoPrepare = 0 }.ConnectionString));
    }

    public NpgsqlDataSource DataSource { get; }

    public string ConnectionString => server.ConnectionString;

    /// <summary>The server's first process, parent of all others; null where it cannot be seen from here.</summary>
    public int? Postmaster =>
        Path.Combine(server.DataFolder, "cluster", "postmaster.pid") is var file && File.Exists(file)
            ? int.Parse(File.ReadLines(file).First(), CultureInfo.InvariantCulture)
            : null;

    public static async Task<BenchmarkDatabase> StartAsync(Options options, TextWriter output, CancellationToken ct)
    {
        var database = new BenchmarkDatabase(await PrivatePostgres.StartAsync(
            new PrivatePostgresOptions
            {
                DataFolder = options.Keep ? Path.Combine(Repository.Root, ".data-bench") : null,
                Durable = true,
                StopsOnSignals = false,
            },
            ct));
        try
        {
            await database.FillAsync(new Shape(options.Messages), output, ct);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await DataSource.DisposeAsync();
        await server.DisposeAsync();
    }

    async Task FillAsync(Shape shape, TextWriter output, CancellationToken ct)
    {
        // The database's comment says what was loaded, once all of it was.
        var mark = string.Create(CultureInfo.InvariantCulture, $"benchmark data: {shape.Messages} messages");
        await using var connection = await DataSource.OpenConnectionAsync(ct);
        await using var read = new NpgsqlCommand(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()", connection);
        if (await read.ExecuteScalarAsync(ct) as string == mark)
        {
            await new Migrator(ConnectionString).UpAsync(ct: ct);
            output.WriteLine($"Database: kept from an earlier run ({mark}).");
            return;
        }

        var watch = Stopwatch.StartNew();
        output.WriteLine("Loading the database:");
        await using (var clear = new NpgsqlCommand(
            "DROP SCHEMA IF EXISTS messaging CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public", connection) { CommandTimeout = 0 })
            await clear.ExecuteNonQueryAsync(ct);
        await new Migrator(ConnectionString).UpAsync(ct: ct);
        await RelaxAsync(during: true, ct);
        // Not with the service's settings, which bound how long a statement takes.
        await using (var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(ConnectionString) { CommandTimeout = 0 }.ConnectionString))
            await new Loader(source, shape, output).LoadAsync(ct);
        await RelaxAsync(during: false, ct);
        await using (var say = new NpgsqlCommand($"COMMENT ON DATABASE messaging IS '{mark}'", connection))
            await say.ExecuteNonQueryAsync(ct);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Loaded in {watch.Elapsed.TotalSeconds:0} s."));
    }

    // While loading, checkpoints would write everything several times over; measures run with the server's defaults again.
    async Task RelaxAsync(bool during, CancellationToken ct)
    {
        await using var admin = NpgsqlDataSource.Create(server.AdminConnectionString);
        foreach (var sql in during
            ? (string[])["ALTER SYSTEM SET max_wal_size = '16GB'", "ALTER SYSTEM SET maintenance_work_mem = '512MB'",
                "SELECT pg_reload_conf()"]
            : ["ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()", "CHECKPOINT"])
        {
            await using var command = admin.CreateCommand(sql);
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync(ct);
        }
    }
}
