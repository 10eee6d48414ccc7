namespace Messaging.Migrations.Tests;

/// <summary>Scripts as files in a folder of their own, for runs in other processes; deleted when the test ends.</summary>
sealed class ScriptFolder : IDisposable
{
    public ScriptFolder(params IEnumerable<Script> scripts)
    {
        foreach (var script in scripts)
        {
            File.WriteAllText(System.IO.Path.Combine(Path, $"{script.Version}_{script.Name}.up.sql"), script.Up);
            File.WriteAllText(System.IO.Path.Combine(Path, $"{script.Version}_{script.Name}.down.sql"), script.Down);
        }
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("migration scripts ").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
