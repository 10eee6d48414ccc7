using Messaging.Domain.Attachments;
using Messaging.Domain.Common;

namespace Messaging.Application.Attachments;

/// <summary>Where the files of attachments lie, by key.</summary>
public interface IFileStorage
{
    /// <summary>
    /// Keeps a file; one of the same key is replaced. Throws <see cref="StorageUnavailableException"/> where it cannot be told that it is
    /// kept.
    /// </summary>
    Task SaveAsync(string key, string path, string contentType, CancellationToken ct);

    /// <summary>
    /// A file to be read from any place in it; null where there is none. Throws <see cref="StorageUnavailableException"/>.
    /// </summary>
    Task<Stream?> OpenAsync(string key, CancellationToken ct);

    /// <summary>Removes a file, if it is there. Throws <see cref="StorageUnavailableException"/>.</summary>
    Task RemoveAsync(string key, CancellationToken ct);
}

/// <summary>The storage of files did not do what it was asked.</summary>
public sealed class StorageUnavailableException(Exception? cause) : Exception("The storage of files does not answer.", cause);

/// <summary>A size of an image, in a file of its own.</summary>
public sealed record ImageVariant(string Variant, string Path, int Width, int Height);

/// <summary>Makes the three sizes of images, outside of this process.</summary>
public interface IImageMaker
{
    /// <summary>Whether images can be made at all.</summary>
    bool IsAvailable { get; }

    /// <summary>
    /// The image in its three sizes, as files in the folder. Refuses what has too many pixels or cannot be decoded, and, as unavailable,
    /// what would have to wait for long.
    /// </summary>
    /// <param name="user">Whose it is: of one user, one image is made at a time.</param>
    Task<IReadOnlyList<ImageVariant>> MakeAsync(UserId user, string path, FileType type, string folder, CancellationToken ct);
}

/// <summary>Looks for viruses in files.</summary>
public interface IVirusScanner
{
    /// <summary>Pending where the scanner does not answer, skipped where there is none.</summary>
    Task<ScanState> ScanAsync(string path, CancellationToken ct);

    /// <inheritdoc cref="ScanAsync(string, CancellationToken)"/>
    Task<ScanState> ScanAsync(Stream file, CancellationToken ct);
}
