using System.Buffers;
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

    private const int TypeLength = 127;

    private const int SoonLength = 64;

    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly Signature[] Signatures =
    [
        new("\u00ff\u00d8\u00ff", Image("image/jpeg", "jpg", decodable: true), "image/jpg", "image/pjpeg"),
        new("\u0089PNG\r\n\u001a\n", Image("image/png", "png", decodable: true), "image/apng"),
        new("GIF87a", Image("image/gif", "gif", decodable: true)),
        new("GIF89a", Image("image/gif", "gif", decodable: true)),
        new("RIFF????WEBP", Image("image/webp", "webp", decodable: true)),
        new("II*\0", Image("image/tiff", "tiff")),
        new("MM\0*", Image("image/tiff", "tiff")),
        // A box of a length below 65536, and a brand of four characters.
        new("\0\0??ftypheic", Image("image/heic", "heic"), "image/heif"),
        new("\0\0??ftypmif1", Image("image/heif", "heif"), "image/heic"),
        new("\0\0??ftypavif", Image("image/avif", "avif")),
        new("\0\0??ftypM4A ", new("audio/mp4", AttachmentCategory.Audio, "m4a"), "audio/x-m4a", "audio/aac", "video/mp4"),
        new("\0\0??ftypqt  ", new("video/quicktime", AttachmentCategory.Video, "mov"), "video/mp4"),
        new("\0\0??ftyp3g??", new("video/3gpp", AttachmentCategory.Video, "3gp"), "audio/3gpp", "video/mp4"),
        new("\0\0??ftyp????", new("video/mp4", AttachmentCategory.Video, "mp4"), "audio/mp4", "video/x-m4v", "audio/x-m4a"),
        new("\u001aE\u00df\u00a3", new("video/webm", AttachmentCategory.Video, "webm"), "audio/webm", "video/x-matroska") { Soon = "webm" },
        new("\u001aE\u00df\u00a3", new("video/x-matroska", AttachmentCategory.Video, "mkv"), "video/matroska", "audio/x-matroska",
            "audio/matroska")
        {
            Soon = "matroska",
        },
        new("OggS\0", new("audio/ogg", AttachmentCategory.Audio, "ogg"), "video/ogg", "application/ogg", "audio/opus"),
        new("ID3\u0002\0", Mpeg, "audio/mp3"),
        new("ID3\u0003\0", Mpeg, "audio/mp3"),
        new("ID3\u0004\0", Mpeg, "audio/mp3"),
        new("RIFF????WAVE", new("audio/wav", AttachmentCategory.Audio, "wav"), "audio/x-wav", "audio/wave", "audio/vnd.wave"),
        new("RIFF????AVI ", new("video/x-msvideo", AttachmentCategory.Video, "avi"), "video/avi"),
        new("fLaC", new("audio/flac", AttachmentCategory.Audio, "flac"), "audio/x-flac"),
        new("#!AMR\n", new("audio/amr", AttachmentCategory.Audio, "amr")),
        new("#!AMR-WB\n", new("audio/amr-wb", AttachmentCategory.Audio, "awb"), "audio/amr"),
        new("%PDF-", new("application/pdf", AttachmentCategory.Document, "pdf")),
        new("\u00d0\u00cf\u0011\u00e0\u00a1\u00b1\u001a\u00e1", new("application/x-ole-storage", AttachmentCategory.Document, "doc"),
            "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/vnd.ms-outlook"),
        new("PK\u0003\u0004", new("application/zip", AttachmentCategory.Other, "zip"),
            "application/x-zip-compressed", "application/vnd.*", "application/epub+zip", "application/java-archive"),
        new("\u001f\u008b\u0008", new("application/gzip", AttachmentCategory.Other, "gz"), "application/x-gzip"),
        new("7z\u00bc\u00af\u0027\u001c", new("application/x-7z-compressed", AttachmentCategory.Other, "7z")),
        new("Rar!\u001a\u0007\0", new("application/vnd.rar", AttachmentCategory.Other, "rar"), "application/x-rar-compressed"),
        new("Rar!\u001a\u0007\u0001\0", new("application/vnd.rar", AttachmentCategory.Other, "rar"), "application/x-rar-compressed"),
    ];

    private static readonly Signature Frames = new("\u00ff", Mpeg, "audio/mp3", "audio/aac", "audio/aacp");

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

    /// <summary>
    /// Reads what an uploader says that a file is, without parameters; null where that says nothing. False for what is no type.
    /// </summary>
    public static bool TryRead(string? declared, out string? said)
    {
        said = declared?.Split(';')[0].Trim().ToLowerInvariant();
        var isType = string.IsNullOrEmpty(declared) || IsType(said!);
        if (said is "" or Anything or "application/binary" or "binary/octet-stream")
            said = null;
        return isType;
    }

    /// <summary>What a file is served as: one that was kept under a type that no header can carry, as any bytes.</summary>
    public static string Served(string contentType) => IsType(contentType) ? contentType : Anything;

    /// <summary>Whether the file has the size of images alone: it is one, or its uploader says so.</summary>
    /// <param name="said">What <see cref="TryRead"/> made of it.</param>
    public static bool IsImage(ReadOnlySpan<byte> head, string? said) =>
        Find(head)?.Type.Category is AttachmentCategory.Image
        || Signatures.Any(signature => signature.Type.Category is AttachmentCategory.Image && signature.Names(said));

    /// <summary>The type of a file that begins so; refuses one whose uploader says another.</summary>
    /// <param name="said">What <see cref="TryRead"/> made of what the uploader says.</param>
    public static FileType Of(ReadOnlySpan<byte> head, string? said)
    {
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

    private static FileType Mpeg => new("audio/mpeg", AttachmentCategory.Audio, "mp3");

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
            if (signature.Begins(head))
                return signature;
        }
        return IsFrame(head) ? Frames : null;
    }

    // Of MPEG audio: eleven bits that are set, and no value that is reserved; where the layer is none, of AAC. FF FE begins a text in
    // UTF-16.
    private static bool IsFrame(ReadOnlySpan<byte> head)
    {
        if (head.Length < 3 || head[0] != 0xFF || (head[1] & 0xE0) != 0xE0 || head[1] >= 0xFE)
            return false;
        var (version, layer, rate) = ((head[1] >> 3) & 3, (head[1] >> 1) & 3, head[2] >> 4);
        return layer == 0
            ? (head[1] & 0xF0) == 0xF0 && ((head[2] >> 2) & 15) < 13
            : version != 1 && rate != 15 && ((head[2] >> 2) & 3) != 3;
    }

    // RFC 9110: token/token.
    private static bool IsType(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && slash < text.Length - 1 && text.Length <= TypeLength
            && text.AsSpan(0, slash).IndexOfAnyExcept(TokenCharacters) < 0 && text.AsSpan(slash + 1).IndexOfAnyExcept(TokenCharacters) < 0;
    }

    private static bool IsKnown(string said) =>
        (said.StartsWith("image/", StringComparison.Ordinal) && said != "image/svg+xml")
        || said.StartsWith("video/", StringComparison.Ordinal) || said.StartsWith("audio/", StringComparison.Ordinal)
        || Signatures.Any(signature => signature.Names(said));

    private static bool IsTextual(string said) =>
        said.StartsWith("text/", StringComparison.Ordinal)
            || said is "application/json" or "application/xml" or "image/svg+xml" or "application/rtf"
        || said.EndsWith("+json", StringComparison.Ordinal) || said.EndsWith("+xml", StringComparison.Ordinal);

    // The beginning may end within a character.
    private static bool IsText(ReadOnlySpan<byte> head)
    {
        if (head.Contains((byte)0))
            return false;
        for (var rest = head; rest.Length > 0;)
        {
            var status = Rune.DecodeFromUtf8(rest, out _, out var used);
            if (status is not OperationStatus.Done)
                return status is OperationStatus.NeedMoreData && head.Length == HeadLength;
            rest = rest[used..];
        }
        return true;
    }

    private static bool Fits(string pattern, string said) =>
        pattern.EndsWith('*') ? said.StartsWith(pattern[..^1], StringComparison.Ordinal) : said == pattern;

    /// <summary>How files of a type begin.</summary>
    /// <param name="pattern">Their first bytes; a question mark stands for any.</param>
    /// <param name="also">Other names of the type that an uploader may use.</param>
    private sealed class Signature(string pattern, FileType type, params string[] also)
    {
        public FileType Type => type;

        public string[] Also => also;

        /// <summary>What follows within the first bytes, at no place of its own.</summary>
        public string Soon { get; init; } = "";

        public bool Names(string? said) => said is not null && (type.ContentType == said || also.Contains(said, StringComparer.Ordinal));

        public bool Begins(ReadOnlySpan<byte> head)
        {
            if (head.Length < pattern.Length)
                return false;
            for (var i = 0; i < pattern.Length; i++)
            {
                if (pattern[i] != '?' && pattern[i] != head[i])
                    return false;
            }
            return head[..Math.Min(head.Length, SoonLength)].IndexOf(Encoding.ASCII.GetBytes(Soon)) >= 0;
        }
    }
}
