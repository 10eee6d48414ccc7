using System.Globalization;
using System.Security.Cryptography;

namespace Messaging.Postgres;

/// <summary>A folder whose name says which process it is for, so that anybody can tell when it is no longer needed.</summary>
static class ThrowAwayFolder
{
    const string Prefix = "messaging-postgres";

    public static string Name(string parent)
    {
        var owner = ProcessIdentity.Current;
        var random = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        return Path.Combine(Path.GetFullPath(parent), $"{Prefix}-{owner.Pid}-{owner.Started}-{random}");
    }

    public static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Somebody else cleared up at the same time.
        }
    }

    /// <summary>Stops and removes the servers whose owners were killed. Those of other users are theirs to clear.</summary>
    public static async Task ClearLeftoversAsync(PrivatePostgresOptions options, CancellationToken ct)
    {
        if (!Directory.Exists(options.ThrowAwayParent))
            return;

        foreach (var folder in Directory.GetDirectories(Path.GetFullPath(options.ThrowAwayParent), Prefix + "-*"))
        {
            if (Owner(folder) is not { IsAlive: false })
                continue;

            try
            {
                var engine = await PrivatePostgres.EngineAsync(options, folder, ct);
                await engine.StopAsync(orderly: false, ct);
                Delete(folder);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or PrivatePostgresException)
            {
                // Not ours, or being cleared by another start: it is in nobody's way.
            }
        }
    }

    static ProcessIdentity? Owner(string folder) =>
        Path.GetFileName(folder)[(Prefix.Length + 1)..].Split('-') is [var pid, var started, _]
        && int.TryParse(pid, CultureInfo.InvariantCulture, out var number)
            ? new(number, started)
            : null;
}
