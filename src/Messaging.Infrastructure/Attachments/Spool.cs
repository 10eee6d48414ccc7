using Messaging.Application.Attachments;

namespace Messaging.Infrastructure.Attachments;

/// <summary>Folders for what is being uploaded, beside what is kept, so that it is moved and not copied.</summary>
public sealed class Spool(StorageSettings settings)
{
    private readonly string root = Path.Combine(Path.GetFullPath(settings.Path), ".incoming");

    /// <summary>A new folder, which goes with all that is in it when it is disposed.</summary>
    public SpoolFolder Create()
    {
        try
        {
            return new SpoolFolder(Directory.CreateDirectory(Path.Combine(root, Guid.NewGuid().ToString("N"))).FullName);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageUnavailableException(e);
        }
    }

    /// <summary>Removes what a process that was killed left, older than any upload lasts.</summary>
    public void Clear(TimeSpan age)
    {
        if (!Directory.Exists(root))
            return;
        // Whoever keeps the files says how late it is: nodes that share them may not agree.
        using var now = Create();
        var before = Directory.GetLastWriteTimeUtc(now.Path) - age;
        foreach (var folder in new DirectoryInfo(root).EnumerateDirectories().Where(folder => folder.LastWriteTimeUtc < before))
            folder.Delete(recursive: true);
    }
}

/// <summary>A folder of one upload.</summary>
public sealed class SpoolFolder(string path) : IDisposable
{
    public string Path => path;

    public void Dispose()
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }
}
