using Messaging.Application.Attachments;

namespace Messaging.Infrastructure.Attachments;

/// <summary>Keeps files in a folder: of this machine, or one that all nodes share.</summary>
public sealed class FolderStorage(StorageSettings settings) : IFileStorage
{
    private readonly string root = Path.GetFullPath(settings.Path);

    public Task SaveAsync(string key, string path, string contentType, CancellationToken ct) => TryAsync(async () =>
    {
        var target = PathOf(key);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        await using (var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite))
            file.Flush(flushToDisk: true);
        File.Move(path, target, overwrite: true);
        return true;
    });

    public Task<Stream?> OpenAsync(string key, CancellationToken ct) => TryAsync(() =>
    {
        try
        {
            return Task.FromResult<Stream?>(new FileStream(
                PathOf(key), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 65_536,
                FileOptions.Asynchronous | FileOptions.SequentialScan));
        }
        // A folder that is not mounted has none of the files that were kept in it.
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException && Directory.Exists(root))
        {
            return Task.FromResult<Stream?>(null);
        }
    });

    public Task RemoveAsync(string key, CancellationToken ct) => TryAsync(() =>
    {
        var path = PathOf(key);
        if (!Directory.Exists(root))
            throw new DirectoryNotFoundException();
        if (File.Exists(path))
            File.Delete(path);
        RemoveEmptyFolders(Path.GetDirectoryName(path)!);
        return Task.FromResult(true);
    });

    private void RemoveEmptyFolders(string folder)
    {
        while (folder.Length > root.Length && Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
        {
            Directory.Delete(folder);
            folder = Path.GetDirectoryName(folder)!;
        }
    }

    private string PathOf(string key) => Path.Combine([root, .. key.Split('/')]);

    private static async Task<T> TryAsync<T>(Func<Task<T>> act)
    {
        try
        {
            return await act();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageUnavailableException(e);
        }
    }
}
