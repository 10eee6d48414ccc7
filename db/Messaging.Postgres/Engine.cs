namespace Messaging.Postgres;

/// <summary>What makes, starts and stops the server in a folder: programs of the system, or a container.</summary>
abstract class Engine
{
    /// <summary>Makes the cluster with this superuser password if there is none yet; one half made is made again.</summary>
    public abstract Task MakeAsync(string passwordFile, bool durable, CancellationToken ct);

    /// <summary>The port at which a server of this very folder already runs, if one does with these settings.</summary>
    public abstract Task<int?> RunningPortAsync(IReadOnlyDictionary<string, string> settings, CancellationToken ct);

    /// <summary>Returns once the server accepts connections; null if it does, else why not.</summary>
    public abstract Task<string?> StartAsync(int port, IReadOnlyDictionary<string, string> settings, CancellationToken ct);

    /// <summary>Does nothing when it does not run. Without <paramref name="orderly"/> nothing is written any more.</summary>
    public abstract Task StopAsync(bool orderly, CancellationToken ct);
}
