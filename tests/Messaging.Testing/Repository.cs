namespace Messaging.Testing;

/// <summary>Files of the checkout that the tests were built from.</summary>
public static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    public static string File(string path) => Path.Combine(Root, path);

    private static string Find(string folder) => System.IO.File.Exists(Path.Combine(folder, "Messaging.sln"))
        ? folder
        : Find(Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run outside their repository."));
}
