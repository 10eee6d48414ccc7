using System.Text;
using Messaging.Domain.Attachments;

namespace Messaging.Application.Attachments;

/// <summary>What the bytes of a file are, told by how they begin, whatever its name or its uploader says.</summary>
/// <param name="ContentType">What it is served as.</param>
/// <param name="Extension">Of its key in the storage and, where it is missing, of its name.</param>
/// <param name="IsDecodable">Whether it is an image that variants are made of.</param>
public sealed record FileType(string ContentType, AttachmentCategory Category, string Extension, bool IsDecodable = false)
{
    /// <summary>Bytes that tell the type.</summary>
    public const int HeadLength = 4096;

    private const string Anything = "application/octet-stream";

    private static readonly Signature[] Signatures =
    [
        new([0xFF, 0xD8, 0xFF], 0, Image("image/jpeg", "jpg", decodable: true), "image/jpg", "image/pjpeg"),
        new([0x89, .. "PNG\r\n\u001a\n"u8], 0, Image("image/png", "png", decodable: true), "image/apng"),
        new("GIF87a"u8, 0, Image("image/gif", "gif", decodable: true)),
        new("GIF89a"u8, 0, Image("image/gif", "gif", decodable: true)),
        new("WEBP"u8, 8, Image("image/webp", "webp", decodable: true)),
        new("II*\0"u8, 0, Image("image/tiff", "tiff")),
        new("MM\0*"u8, 0, Image("image/tiff", "tiff")),
        new("ftypheic"u8, 4, Image("image/heic", "heic"), "image/heif"),
        new("ftypmif1"u8, 4, Image("image/heif", "heif"), "image/heic"),
        new("ftypavif"u8, 4, Image("image/avif", "avif")),
        new("ftypM4A"u8, 4, new("audio/mp4", AttachmentCategory.Audio, "m4a"), "audio/x-m4a", "audio/aac", "video/mp4"),
        new("ftypqt"u8, 4, new("video/quicktime", AttachmentCategory.Video, "mov"), "video/mp4"),
        new("ftyp3g"u8, 4, new("video/3gpp", AttachmentCategory.Video, "3gp"), "audio/3gpp", "video/mp4"),
        new("ftyp"u8, 4, new("video/mp4", AttachmentCategory.Video, "mp4"), "audio/mp4", "video/x-m4v", "audio/x-m4a"),
        new([0x1A, 0x45, 0xDF, 0xA3], 0, new("video/webm", AttachmentCategory.Video, "webm"), "audio/webm", "video/x-matroska"),
        new("OggS"u8, 0, new("audio/ogg", AttachmentCategory.Audio, "ogg"), "video/ogg", "application/ogg", "audio/opus"),
        new("ID3"u8, 0, new("audio/mpeg", AttachmentCategory.Audio, "mp3"), "audio/mp3"),
        new("WAVE"u8, 8, new("audio/wav", AttachmentCategory.Audio, "wav"), "audio/x-wav", "audio/wave", "audio/vnd.wave"),
        new("AVI "u8, 8, new("video/x-msvideo", AttachmentCategory.Video, "avi"), "video/avi"),
        new("fLaC"u8, 0, new("audio/flac", AttachmentCategory.Audio, "flac"), "audio/x-flac"),
        new("#!AMR"u8, 0, new("audio/amr", AttachmentCategory.Audio, "amr")),
        new("%PDF-"u8, 0, new("application/pdf", AttachmentCategory.Document, "pdf")),
        new([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], 0, new("application/x-ole-storage", AttachmentCategory.Document, "doc"),
            "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/vnd.ms-outlook"),
        new("PK\u0003\u0004"u8, 0, new("application/zip", AttachmentCategory.Other, "zip"),
            "application/x-zip-compressed", "application/vnd.*", "application/epub+zip", "application/java-archive"),
        new([0x1F, 0x8B], 0, new("application/gzip", AttachmentCategory.Other, "gz"), "application/x-gzip"),
        new([.. "7z"u8, 0xBC, 0xAF, 0x27, 0x1C], 0, new("application/x-7z-compressed", AttachmentCategory.Other, "7z")),
        new("Rar!"u8, 0, new("application/vnd.rar", AttachmentCategory.Other, "rar"), "application/x-rar-compressed"),
    ];

    private static readonly Dictionary<string, string> Documents = new(StringComparer.Ordinal)
    {
        ["application/vnd.openxmlformats-officedocument.wordprocessingml.document"] = "docx",
        ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"] = "xlsx",
        ["application/vnd.openxmlformats-officedocument.presentationml.presentation"] = "pptx",
        ["application/vnd.oasis.opendocument.text"] = "odt",
        ["application/vnd.oasis.opendocument.spreadsheet"] = "ods",
        ["application/vnd.oasis.opendocument.presentation"] = "odp",
        ["application/msword"] = "doc",
        ["application/vnd.ms-excel"] = "xls",
        ["application/vnd.ms-powerpoint"] = "ppt",
        ["application/epub+zip"] = "epub",
        ["application/json"] = "json",
        ["application/xml"] = "xml",
        ["application/rtf"] = "rtf",
        ["text/plain"] = "txt",
        ["text/csv"] = "csv",
        ["text/html"] = "html",
        ["text/markdown"] = "md",
        ["text/calendar"] = "ics",
        ["image/svg+xml"] = "svg",
    };

    /// <summary>The type of a file that begins so; refuses one whose uploader says another.</summary>
    /// <param name="declared">What the uploader says, if anything.</param>
    public static FileType Of(ReadOnlySpan<byte> head, string? declared)
    {
        var said = declared?.Split(';')[0].Trim().ToLowerInvariant();
        if (said is null or "" or Anything or "application/binary" or "binary/octet-stream")
            said = null;
        if (Find(head) is { } signature)
        {
            return said is null || said == signature.Type.ContentType ? signature.Type
                : signature.Also.Any(also => Fits(also, said)) ? signature.Type.As(said)
                : throw AttachmentErrors.NotWhatItSays(said);
        }
        // What would begin in a way that is known does not.
        if (said is not null && IsKnown(said))
            throw AttachmentErrors.NotWhatItSays(said);
        var isText = IsText(head);
        if (said is null)
            return isText ? new("text/plain", AttachmentCategory.Document, "txt") : new(Anything, AttachmentCategory.Other, "bin");
        if (IsTextual(said) && !isText)
            throw AttachmentErrors.NotWhatItSays(said);
        var category = IsTextual(said) ? AttachmentCategory.Document : AttachmentCategory.Other;
        return new(said, category, Documents.GetValueOrDefault(said, isText ? "txt" : "bin"));
    }

    private static FileType Image(string contentType, string extension, bool decodable = false) =>
        new(contentType, decodable ? AttachmentCategory.Image : AttachmentCategory.Other, extension, decodable);

    // Another name of the same bytes; a container of sound alone is audio.
    private FileType As(string said) => IsDecodable ? this : this with
    {
        ContentType = said,
        Extension = Documents.GetValueOrDefault(said, Extension),
        Category = said.StartsWith("audio/", StringComparison.Ordinal) ? AttachmentCategory.Audio
            : said.StartsWith("video/", StringComparison.Ordinal) ? AttachmentCategory.Video
            : Documents.ContainsKey(said) ? AttachmentCategory.Document
            : Category,
    };

    private static Signature? Find(ReadOnlySpan<byte> head)
    {
        foreach (var signature in Signatures)
        {
            if (head.Length >= signature.At + signature.Bytes.Length && head[signature.At..].StartsWith(signature.Bytes))
                return signature;
        }
        // The frames of MPEG audio begin with eleven bits that are set; FF FE and FE FF begin a text in UTF-16.
        return head.Length > 2 && head[0] == 0xFF && (head[1] & 0xE0) == 0xE0 && head[1] < 0xFE
            ? new Signature([0xFF], 0, new("audio/mpeg", AttachmentCategory.Audio, "mp3"), "audio/mp3", "audio/aac", "audio/aacp")
            : null;
    }

    private static bool IsKnown(string said) =>
        (said.StartsWith("image/", StringComparison.Ordinal) && said != "image/svg+xml")
        || said.StartsWith("video/", StringComparison.Ordinal) || said.StartsWith("audio/", StringComparison.Ordinal)
        || Signatures.Any(signature => signature.Type.ContentType == said || signature.Also.Contains(said, StringComparer.Ordinal));

    private static bool IsTextual(string said) =>
        said.StartsWith("text/", StringComparison.Ordinal) || said is "application/json" or "application/xml" or "image/svg+xml" or "application/rtf"
        || said.EndsWith("+json", StringComparison.Ordinal) || said.EndsWith("+xml", StringComparison.Ordinal);

    // The beginning may end within a character.
    private static bool IsText(ReadOnlySpan<byte> head)
    {
        if (head.Contains((byte)0))
            return false;
        for (var rest = head; rest.Length > 0;)
        {
            var status = Rune.DecodeFromUtf8(rest, out _, out var used);
            if (status is not System.Buffers.OperationStatus.Done)
                return status is System.Buffers.OperationStatus.NeedMoreData && head.Length == HeadLength;
            rest = rest[used..];
        }
        return true;
    }

    private static bool Fits(string pattern, string said) =>
        pattern.EndsWith('*') ? said.StartsWith(pattern[..^1], StringComparison.Ordinal) : said == pattern;

    private sealed class Signature(ReadOnlySpan<byte> bytes, int at, FileType type, params string[] also)
    {
        public byte[] Bytes { get; } = bytes.ToArray();

        public int At => at;

        public FileType Type => type;

        public string[] Also => also;
    }
}
