using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Messaging.Postgres;

/// <summary>PostgreSQL in a container of the running Docker engine, with the cluster in the folder <c>cluster</c>.</summary>
sealed class DockerEngine(string folder) : Engine
{
    const string Image = "postgres:15.18";

    readonly string cluster = Path.Combine(folder, "cluster");
    readonly string container = "messaging-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(folder)))[..16];

    public static async Task<bool> IsServingAsync(CancellationToken ct) =>
        (await Command.RunAsync("docker", ["version", "--format", "{{.Server.Version}}"], ct)).Succeeded;

    // The image makes the cluster itself at its first start.
    public override Task MakeAsync(string passwordFile, bool durable, CancellationToken ct)
    {
        Directory.CreateDirectory(cluster);
        return Task.CompletedTask;
    }

    public override async Task<int?> RunningPortAsync(IReadOnlyDictionary<string, string> settings, CancellationToken ct)
    {
        var label = await Command.RunAsync(
            "docker", ["inspect", "--format", "{{index .Config.Labels \"messaging.settings\"}}", container], ct);
        var port = await Command.RunAsync("docker", ["port", container, "5432/tcp"], ct);
        return label.Succeeded && port.Succeeded && label.Output == Text(settings)
            ? int.Parse(port.Output[(port.Output.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture)
            : null;
    }

    public override async Task<string?> StartAsync(int port, IReadOnlyDictionary<string, string> settings, CancellationToken ct)
    {
        await StopAsync(orderly: true, ct);

        // Files of an ordinary user stay theirs; for root the image has a user of its own.
        string[] user = Environment.IsPrivilegedProcess ? [] : ["--user", await IdAsync("-u", ct) + ":" + await IdAsync("-g", ct)];
        var run = await Command.RunAsync(
            "docker",
            [
                "run", "--detach", "--name", container, "--label", "messaging.settings=" + Text(settings), .. user,
                "--publish", $"127.0.0.1:{port}:5432", "--shm-size", "256m",
                "--volume", $"{cluster}:/var/lib/postgresql/data", "--volume", $"{Path.Combine(folder, "password")}:/run/password:ro",
                "--env", "POSTGRES_PASSWORD_FILE=/run/password", "--env", "POSTGRES_INITDB_ARGS=--auth-host=scram-sha-256",
                Image, .. settings.SelectMany(setting => (string[])["-c", $"{setting.Key}={setting.Value}"]),
            ],
            ct);
        return run.Succeeded ? await ReadyAsync(ct) : run.Output;
    }

    public override async Task StopAsync(bool orderly, CancellationToken ct)
    {
        if (orderly)
            await Command.RunAsync("docker", ["stop", "--time", "60", container], ct);
        await Command.RunAsync("docker", ["rm", "--force", container], ct);
    }

    // The image's first start runs a server of its own for a moment, without TCP: only one that answers there is the real one.
    async Task<string?> ReadyAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        for (var tries = 0; tries < 600 && await timer.WaitForNextTickAsync(ct); tries++)
        {
            if ((await Command.RunAsync("docker", ["exec", container, "pg_isready", "--host=127.0.0.1"], ct)).Succeeded)
                return null;
            if ((await Command.RunAsync("docker", ["inspect", "--format", "{{.State.Running}}", container], ct)).Output != "true")
                break;
        }

        return (await Command.RunAsync("docker", ["logs", "--tail", "10", container], ct)).Output;
    }

    static async Task<string> IdAsync(string what, CancellationToken ct) => (await Command.RunAsync("id", [what], ct)).Output;

    static string Text(IReadOnlyDictionary<string, string> settings) =>
        string.Join(',', settings.Select(setting => $"{setting.Key}={setting.Value}"));
}
