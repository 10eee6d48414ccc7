namespace Messaging.EndToEnd.Tests;

/// <summary>A folder for one test, with a space in its path.</summary>
sealed class TemporaryFolder : IDisposable
{
    readonly DirectoryInfo made = Directory.CreateTempSubdirectory("messaging-test-");

    public TemporaryFolder()
    {
        // PostgreSQL runs as another user when the tests run as root.
        File.SetUnixFileMode(made.FullName, File.GetUnixFileMode(made.FullName) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        Path = made.CreateSubdirectory("with a space").FullName;
    }

    public string Path { get; }

    public string In(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => made.Delete(recursive: true);
}
