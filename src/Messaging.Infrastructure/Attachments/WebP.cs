using System.Buffers.Binary;

namespace Messaging.Infrastructure.Attachments;

/// <summary>
/// Takes the metadata out of a WebP file: libvips writes a block of EXIF, with the resolution of the image, even where it is told to write
/// none.
/// </summary>
static class WebP
{
    private const int FileHeader = 12;
    private const int ChunkHeader = 8;
    private const byte MetadataFlags = 0x08 | 0x04;

    public static async Task RemoveMetadataAsync(string path, CancellationToken ct)
    {
        var file = await File.ReadAllBytesAsync(path, ct);
        var length = FileHeader;
        for (int at = FileHeader, size; at + ChunkHeader <= file.Length; at += size)
        {
            // Chunks are padded to an even length.
            size = (int)Math.Min(
                ChunkHeader + ((BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 4)) + 1L) & ~1L), file.Length - at);
            var name = file.AsSpan(at, 4);
            if (name.SequenceEqual("EXIF"u8) || name.SequenceEqual("XMP "u8))
                continue;
            if (name.SequenceEqual("VP8X"u8))
                file[at + ChunkHeader] &= unchecked((byte)~MetadataFlags);
            file.AsSpan(at, size).CopyTo(file.AsSpan(length));
            length += size;
        }
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(4), (uint)(length - ChunkHeader));
        await File.WriteAllBytesAsync(path, file.AsMemory(0, length), ct);
    }
}
