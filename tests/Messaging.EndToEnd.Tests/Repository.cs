namespace Messaging.EndToEnd.Tests;

/// <summary>Where things are that run as processes of their own.</summary>
static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string StartScript => Path.Combine(Root, "start.sh");

    /// <summary>The launcher as it was built along with these tests.</summary>
    public static string Launcher => Path.Combine(Root, "tools", "Messaging.Start", "bin", Configuration, "net10.0", "Messaging.Start.dll");

    static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Messaging.sln")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException("The tests stand outside the repository.");
        return folder.FullName;
    }
}
