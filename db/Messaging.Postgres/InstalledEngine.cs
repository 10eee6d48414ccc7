using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Messaging.Postgres;

/// <summary>PostgreSQL's own programs, with the cluster in the folder <c>cluster</c>.</summary>
sealed class InstalledEngine(PostgresBinaries binaries, ServerUser user, string folder) : Engine
{
    readonly string cluster = Path.Combine(folder, "cluster");
    readonly string log = Path.Combine(folder, "server.log");

    string SettingsFile => Path.Combine(cluster, "postgresql.conf");

    string PidFile => Path.Combine(cluster, "postmaster.pid");

    public override async Task MakeAsync(string passwordFile, bool durable, CancellationToken ct)
    {
        if (Directory.Exists(cluster))
            return;

        // Made elsewhere and moved when done, so that a cluster which is there is whole.
        var unfinished = Path.Combine(folder, "cluster.new");
        if (Directory.Exists(unfinished))
            Directory.Delete(unfinished, recursive: true);

        await user.OwnAsync(passwordFile, ct);
        string[] locale = OperatingSystem.IsLinux() ? ["--locale=C.UTF-8"] : ["--locale=en_US.UTF-8"];
        string[] sync = durable ? [] : ["--no-sync"];
        var initdb = await user.RunAsync(
            binaries.Initdb,
            ["--pgdata", unfinished, "--username=postgres", $"--pwfile={passwordFile}", "--auth=scram-sha-256", "--encoding=UTF8",
                .. locale, .. sync],
            ct);
        if (!initdb.Succeeded)
            throw new PrivatePostgresException($"initdb cannot make a database cluster in {folder}: {initdb.Output}");

        Directory.Move(unfinished, cluster);
    }

    public override Task<int?> RunningPortAsync(IReadOnlyDictionary<string, string> settings, CancellationToken ct)
    {
        if (Postmaster() is not { } running)
            return Task.FromResult<int?>(null);

        var same = string.Equals(File.ReadAllText(SettingsFile), Text(running.Port, settings), StringComparison.Ordinal);
        return Task.FromResult<int?>(same ? running.Port : null);
    }

    public override async Task<string?> StartAsync(int port, IReadOnlyDictionary<string, string> settings, CancellationToken ct)
    {
        // A pid from before the last boot may by now belong to something else of the same user, which keeps PostgreSQL from starting.
        if (Postmaster() is null)
            File.Delete(PidFile);

        File.WriteAllText(SettingsFile, Text(port, settings));
        File.Delete(log);

        // pg_ctl gives the server a session of its own: a Ctrl+C in the terminal is for the owner, who stops it last.
        var start = await user.RunAsync(binaries.PgCtl, ["start", "--pgdata", cluster, "--log", log, "--wait", "--timeout=120"], ct);
        if (start.Succeeded)
            return null;

        return File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(10)) : start.Output;
    }

    public override async Task StopAsync(bool orderly, CancellationToken ct)
    {
        if (Postmaster() is null)
            return;

        var mode = orderly ? "--mode=fast" : "--mode=immediate";
        var stop = await user.RunAsync(binaries.PgCtl, ["stop", "--pgdata", cluster, mode, "--wait", "--timeout=60"], ct);
        if (!stop.Succeeded && Postmaster() is not null)
            throw new PrivatePostgresException($"The PostgreSQL in {folder} does not stop: {stop.Output}");
    }

    (int Pid, int Port)? Postmaster()
    {
        try
        {
            // Lines of the file: pid, folder, start, port, …
            if (File.ReadAllLines(PidFile) is not [var pidText, _, _, var portText, ..])
                return null;

            var pid = int.Parse(pidText, CultureInfo.InvariantCulture);
            using var process = Process.GetProcessById(pid);
            return process.ProcessName.StartsWith("postgres", StringComparison.Ordinal) && WorksInCluster(pid)
                ? (pid, int.Parse(portText, CultureInfo.InvariantCulture))
                : null;
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    bool WorksInCluster(int pid) =>
        !OperatingSystem.IsLinux()
        || string.Equals(new FileInfo($"/proc/{pid}/cwd").LinkTarget, RealPath(cluster), StringComparison.Ordinal);

    // What the system calls the folder, past any symbolic link on the way to it.
    static string RealPath(string folder)
    {
        var path = "/";
        foreach (var part in folder.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var next = new DirectoryInfo(Path.Combine(path, part));
            path = next.ResolveLinkTarget(returnFinalTarget: true) is { } target ? RealPath(target.FullName) : next.FullName;
        }

        return path;
    }

    static string Text(int port, IReadOnlyDictionary<string, string> settings)
    {
        var text = new StringBuilder();
        // Sockets in a folder would break where its path is longer than 107 characters.
        text.AppendLine("listen_addresses = '127.0.0.1'").AppendLine("unix_socket_directories = ''");
        text.AppendLine(CultureInfo.InvariantCulture, $"port = {port}");
        foreach (var (name, value) in settings)
            text.AppendLine(CultureInfo.InvariantCulture, $"{name} = '{value}'");
        return text.ToString();
    }
}
