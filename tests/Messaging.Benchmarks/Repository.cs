namespace Messaging.Benchmarks;

static class Repository
{
    /// <summary>The folder that holds Messaging.sln.</summary>
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    static string Find(string folder) =>
        File.Exists(Path.Combine(folder, "Messaging.sln")) ? folder
        : Path.GetDirectoryName(folder) is { } parent ? Find(parent)
        : throw new DirectoryNotFoundException("The benchmarks run from within the repository.");
}
