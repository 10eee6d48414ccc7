using System.Globalization;

namespace Messaging.Postgres;

/// <summary>
/// Who PostgreSQL runs as. It refuses root, so root runs it through setpriv as the owner of its folder: the one who
/// made it, or for a new one the system's postgres user (nobody, where there is none).
/// </summary>
sealed class ServerUser
{
    const int DacOverride = 1;
    const int DacReadSearch = 2;

    readonly List<string> prefix;
    readonly string? owner;

    ServerUser(string? owner, List<string> prefix)
    {
        this.owner = owner;
        this.prefix = prefix;
    }

    public static async Task<ServerUser> OfAsync(string folder, CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess)
            return new(null, []);

        var ids = await OwnerAsync(folder, ct);
        var user = new ServerUser($"{ids.User}:{ids.Group}", ["setpriv", $"--reuid={ids.User}", $"--regid={ids.Group}", "--clear-groups"]);
        await user.OwnAsync(folder, ct);

        // Not test -x, which leaves capabilities out of account.
        string[] inside = [Path.Combine(folder, ".")];
        var reach = await user.RunAsync("stat", inside, ct);
        if (reach.Succeeded)
            return user;

        // A clone under /root cannot be entered by anybody else; the capability lets this one process past, and nobody in.
        var capability = Capability();
        user.prefix.AddRange([$"--inh-caps=-all,+{capability}", $"--ambient-caps=-all,+{capability}"]);
        reach = await user.RunAsync("stat", inside, ct);
        return reach.Succeeded
            ? user
            : throw new PrivatePostgresException(
                $"PostgreSQL does not run as root, and the user {user.owner} cannot reach {folder}. {reach.Output} "
                + "Install setpriv (util-linux), put the data where that user may go, or start as an ordinary user.");
    }

    public Task<Command> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken ct)
    {
        string[] all = [.. prefix, program, .. arguments];
        return Command.RunAsync(all[0], all[1..], ct);
    }

    /// <summary>Hands a file or folder which root has made to the server's user.</summary>
    public async Task OwnAsync(string path, CancellationToken ct)
    {
        if (owner is null)
            return;

        var chown = await Command.RunAsync("chown", [owner, path], ct);
        if (!chown.Succeeded)
            throw new PrivatePostgresException($"{path} cannot be given to the user that PostgreSQL runs as ({owner}): {chown.Output}");
    }

    static async Task<(string User, string Group)> OwnerAsync(string folder, CancellationToken ct)
    {
        var stat = await Command.RunAsync("stat", ["-c", "%u %g", folder], ct);
        if (stat.Succeeded && stat.Output.Split(' ') is [var uid, var gid] && uid != "0")
            return (uid, gid);

        foreach (var name in (string[])["postgres", "nobody"])
        {
            var user = await Command.RunAsync("id", ["-u", name], ct);
            var group = await Command.RunAsync("id", ["-g", name], ct);
            if (user.Succeeded && group.Succeeded)
                return (user.Output, group.Output);
        }

        throw new PrivatePostgresException(
            "PostgreSQL does not run as root, and there is neither a user postgres nor nobody. Start as an ordinary user.");
    }

    // The lesser one is enough, but containers often hold only the other.
    static string Capability()
    {
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("CapEff:", StringComparison.Ordinal));
        var held = ulong.Parse(line["CapEff:".Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return (held >> DacReadSearch & 1) == 1 || (held >> DacOverride & 1) == 0 ? "dac_read_search" : "dac_override";
    }
}
