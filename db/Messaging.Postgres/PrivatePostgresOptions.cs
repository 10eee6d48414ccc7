namespace Messaging.Postgres;

public sealed record PrivatePostgresOptions
{
    /// <summary>Where the server lives and is kept between runs; null for a throw-away one that goes with its owner.</summary>
    public string? DataFolder { get; init; }

    /// <summary>What was acknowledged survives a crash of the machine. Off for tests: several times faster.</summary>
    public bool Durable { get; init; }

    public int MaxConnections { get; init; } = 400;

    /// <summary>
    /// A signal that ends the process also ends its throw-away server. Off where the owner handles signals itself and has
    /// things to finish before it disposes the server.
    /// </summary>
    public bool StopsOnSignals { get; init; } = true;

    /// <summary>Where throw-away servers are put, and where those of dead owners are looked for.</summary>
    public string ThrowAwayParent { get; init; } = Path.GetTempPath();

    /// <summary>Folders to look for PostgreSQL's programs in; null for the usual places and PATH.</summary>
    public IReadOnlyList<string>? BinaryFolders { get; init; }

    /// <summary>A fast one for this process only: stopped and removed with it, however it ends.</summary>
    public static PrivatePostgresOptions ThrowAway { get; } = new();

    /// <summary>A durable one whose data, port and password are kept in <paramref name="dataFolder"/>.</summary>
    public static PrivatePostgresOptions Persistent(string dataFolder) =>
        new() { DataFolder = dataFolder, Durable = true, MaxConnections = 100 };
}
