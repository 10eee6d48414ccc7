using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Npgsql;

namespace Messaging.Postgres;

/// <summary>
/// A PostgreSQL of one's own on a free port of 127.0.0.1, with a role and a database <c>messaging</c>. Used alike by
/// start.sh, tests and benchmarks. Disposing stops it; what a killed owner left behind is taken over (the same data
/// folder) or cleared away (throw-away ones) by the next start.
/// </summary>
public sealed class PrivatePostgres : IAsyncDisposable
{
    const string Role = "messaging";
    const int PortTries = 5;

    readonly Engine engine;
    readonly bool throwAway;
    readonly string password;
    readonly List<PosixSignalRegistration> signals = [];
    int stopped;

    PrivatePostgres(Engine engine, string folder, string password, bool throwAway)
    {
        this.engine = engine;
        this.password = password;
        this.throwAway = throwAway;
        DataFolder = folder;
    }

    public string DataFolder { get; }

    public int Port { get; private set; }

    /// <summary>As the role <c>messaging</c>, which owns its database and may create others, to that database.</summary>
    public string ConnectionString => Connection(Port, Role, Role, password);

    /// <summary>As the superuser, for faults in tests and for looking into what the server does.</summary>
    public string AdminConnectionString => Connection(Port, "postgres", "postgres", password);

    public static async Task<PrivatePostgres> StartAsync(PrivatePostgresOptions options, CancellationToken ct)
    {
        if (options.DataFolder is null)
            await ThrowAwayFolder.ClearLeftoversAsync(options, ct);

        var folder = options.DataFolder is null ? ThrowAwayFolder.Name(options.ThrowAwayParent) : Path.GetFullPath(options.DataFolder);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var server = new PrivatePostgres(await EngineAsync(options, folder, ct), folder, Secret(folder), options.DataFolder is null);
            await server.StartOwnedAsync(options, ct);
            return server;
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new PrivatePostgresException(
                $"{folder} belongs to somebody else, or its parent does not let in: {exception.Message}", exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        foreach (var signal in signals)
            signal.Dispose();
        await StopAsync();
    }

    internal static async Task<Engine> EngineAsync(PrivatePostgresOptions options, string folder, CancellationToken ct)
    {
        var major = Major(folder);
        if (await PostgresBinaries.FindAsync(options.BinaryFolders, major, ct) is { } binaries)
            return new InstalledEngine(binaries, await ServerUser.OfAsync(folder, ct), folder);
        if (major is null or 15 && await DockerEngine.IsServingAsync(ct))
            return new DockerEngine(folder);

        throw new PrivatePostgresException(major is null or 15
            ? "PostgreSQL 15 or newer is needed: install its server programs (Debian and Ubuntu: apt-get install postgresql; "
                + "Fedora: dnf install postgresql-server; Alpine: apk add postgresql setpriv; macOS: brew install postgresql@17), start "
                + "Docker, "
                + "or point ConnectionStrings__Messaging (in tests MESSAGING_TEST_DATABASE) to a server that runs."
            : $"The data in {folder} were made by PostgreSQL {major}, whose programs are not installed.");
    }

    async Task StopAsync()
    {
        if (Interlocked.Exchange(ref stopped, 1) == 1)
            return;

        // Pooled connections to a server which is gone would fail whoever next gets its port.
        NpgsqlConnection.ClearAllPools();
        await engine.StopAsync(orderly: !throwAway, CancellationToken.None);
        if (throwAway)
            ThrowAwayFolder.Delete(DataFolder);
    }

    async Task StartOwnedAsync(PrivatePostgresOptions options, CancellationToken ct)
    {
        if (throwAway)
            StopWithProcess(options.StopsOnSignals);

        try
        {
            await engine.MakeAsync(PasswordFile(DataFolder), options.Durable, ct);
            var settings = Settings(options);
            Port = await engine.RunningPortAsync(settings, ct) ?? await StartStoppedAsync(settings, ct);
            await PrepareAsync(ct);
        }
        catch when (throwAway)
        {
            await DisposeAsync();
            throw;
        }
    }

    async Task<int> StartStoppedAsync(IReadOnlyDictionary<string, string> settings, CancellationToken ct)
    {
        // It may run with other settings.
        await engine.StopAsync(orderly: true, ct);

        var file = Path.Combine(DataFolder, "port");
        var port = File.Exists(file) && int.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out var kept) && IsFree(kept)
            ? kept
            : FreePort();
        for (var tries = 1; await engine.StartAsync(port, settings, ct) is { } reason; tries++)
        {
            // Between choosing a port and listening there, somebody else may have come first.
            if (tries == PortTries || IsFree(port))
                throw new PrivatePostgresException($"The PostgreSQL in {DataFolder} does not start: {reason}");
            port = FreePort();
        }

        await File.WriteAllTextAsync(file, port.ToString(CultureInfo.InvariantCulture), ct);
        return port;
    }

    /// <summary>Also shows that it is ours: nobody else's has this password.</summary>
    async Task PrepareAsync(CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(AdminConnectionString);
        // Tests make lesser roles, to show what those may not do; whoever keeps data has no need to.
        var rights = throwAway ? "CREATEDB CREATEROLE" : "CREATEDB";

        // A start that was killed may have come to the one and not to the other.
        foreach (var (found, sql) in ((string, string)[])
        [
            ($"SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '{Role}')", $"CREATE ROLE {Role} LOGIN {rights} PASSWORD '{password}'"),
            ($"SELECT EXISTS (SELECT FROM pg_database WHERE datname = '{Role}')", $"CREATE DATABASE {Role} OWNER {Role}"),
        ])
        {
            await using var exists = source.CreateCommand(found);
            if (await exists.ExecuteScalarAsync(ct) is true)
                continue;

            await using var create = source.CreateCommand(sql);
            await create.ExecuteNonQueryAsync(ct);
        }
    }

    static FrozenDictionary<string, string> Settings(PrivatePostgresOptions options)
    {
        var safe = options.Durable ? "on" : "off";
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["max_connections"] = options.MaxConnections.ToString(CultureInfo.InvariantCulture),
            ["fsync"] = safe,
            ["synchronous_commit"] = safe,
            ["full_page_writes"] = safe,
            ["password_encryption"] = "scram-sha-256",
            ["timezone"] = "UTC",
            ["log_timezone"] = "UTC",
        }.ToFrozenDictionary(StringComparer.Ordinal);
    }

    static string Secret(string folder)
    {
        var file = PasswordFile(folder);
        if (File.Exists(file) && File.ReadAllText(file).Trim() is { Length: > 0 } kept)
            return kept;

        var made = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using var writer = new StreamWriter(file, options);
        writer.WriteLine(made);
        return made;
    }

    static string PasswordFile(string folder) => Path.Combine(folder, "password");

    static int? Major(string folder)
    {
        var file = Path.Combine(folder, "cluster", "PG_VERSION");
        return File.Exists(file) ? int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture) : null;
    }

    static string Connection(int port, string role, string database, string password) =>
        new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = port, Username = role, Password = password,
            Database = database }.ConnectionString;

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // Since .NET 10 a signal ends the process without ProcessExit, so both are needed. The signal's own effect follows.
    void StopWithProcess(bool signalled)
    {
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
        if (!signalled)
            return;

        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
            signals.Add(PosixSignalRegistration.Create(signal, _ => StopAsync().GetAwaiter().GetResult()));
    }

    void OnProcessExit(object? sender, EventArgs e) => StopAsync().GetAwaiter().GetResult();
}
