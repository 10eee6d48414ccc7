using Messaging.Application.Common;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Attachments;

/// <summary>A file. Its URLs are signed: whoever holds one can download the file until it expires.</summary>
/// <param name="FileName">Safe on every file system, with the extension of its type.</param>
/// <param name="ContentType">The type detected from the bytes.</param>
/// <param name="Size">Bytes of the stored original.</param>
/// <param name="Width">Pixels; images only.</param>
/// <param name="DurationMs">For audio and video, as the uploader stated it.</param>
/// <param name="Variants">For images that could be decoded; otherwise null.</param>
/// <param name="Url">The original; null while it waits for the scanner, and forever if the scanner refuses it.</param>
/// <param name="DownloadCount">Number of downloads that started at the original's first byte.</param>
public sealed record AttachmentView(
    AttachmentId Id,
    string FileName,
    string ContentType,
    long Size,
    AttachmentCategory Category,
    int? Width,
    int? Height,
    long? DurationMs,
    ScanState Scan,
    VariantsView? Variants,
    string? Url,
    long DownloadCount);

/// <summary>An image in three sizes, without metadata, rotated upright.</summary>
/// <param name="Medium">At most 800 pixels wide and high.</param>
/// <param name="Thumbnail">300 by 300 pixels, cut from the middle.</param>
public sealed record VariantsView(VariantView Original, VariantView Medium, VariantView Thumbnail);

/// <summary>One size of an image.</summary>
public sealed record VariantView(string Url, int Width, int Height, Instant ExpiresAt);

/// <summary>A file in the storage.</summary>
/// <param name="Variant"><c>original</c>, <c>medium</c> or <c>thumbnail</c>.</param>
/// <param name="Key"><c>{conversationId}/{attachmentId}/{uuid}_{variant}.{extension}</c>.</param>
public sealed record StoredFile(string Variant, string Key, string ContentType, long Size, int? Width = null, int? Height = null)
{
    public const string Original = "original";
    public const string Medium = "medium";
    public const string Thumbnail = "thumbnail";
}

/// <summary>One row of <see cref="Columns"/>.</summary>
/// <param name="Seq">Of the message that it is part of; null as long as none names it.</param>
public sealed record AttachmentRow(
    ConversationId ConversationId, long? Seq, UserId UploaderId, AttachmentId Id, string FileName, string ContentType, long Size,
    AttachmentCategory Category, int? Width, int? Height, long? DurationMs, ScanState Scan, JsonText Files, Guid Secret, long DownloadCount)
{
    /// <summary>Of an attachment <c>a</c>.</summary>
    public const string Columns =
        """
        a.conversation_id, a.seq, a.uploader_id, a.id, a.file_name, a.content_type, a.size, a.category, a.width, a.height, a.duration_ms,
            a.scan, a.files, a.secret, a.download_count
        """;

    public AttachmentView ToView(FileUrls urls, UrlAudience audience)
    {
        var files = Attachment.IsSafe(Scan) ? MessagingJson.Read<List<StoredFile>>(Files)! : [];
        var expires = urls.Expiry();
        var original = files.Find(file => file.Variant == StoredFile.Original);
        return new AttachmentView(
            Id, FileName, FileType.Served(ContentType), Size, Category, Width, Height, DurationMs, Scan,
            files.Count == 3
                ? new VariantsView(Variant(StoredFile.Original), Variant(StoredFile.Medium), Variant(StoredFile.Thumbnail)) : null,
            original is null ? null : urls.Sign(Id, Secret, StoredFile.Original, expires, audience),
            DownloadCount);

        VariantView Variant(string name)
        {
            var file = files.Find(file => file.Variant == name)!;
            return new VariantView(urls.Sign(Id, Secret, name, expires, audience), file.Width!.Value, file.Height!.Value, expires);
        }
    }
}
