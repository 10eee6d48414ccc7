using System.Globalization;
using System.Text;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Attachments;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Messaging.Api.Attachments;

/// <summary>The parts of an upload: the conversation before the file, the others anywhere.</summary>
/// <param name="ConversationId">The conversation in which it will be sent. This part must come before the file.</param>
/// <param name="File">The file, with the name and type that the uploader states.</param>
/// <param name="DurationMs">For audio and video.</param>
/// <param name="SortOrder">Its place among the files of one message.</param>
public sealed record UploadForm(ConversationId ConversationId, IFormFile File, long? DurationMs = null, int? SortOrder = null);

/// <summary>Reads an upload as it arrives: the file goes to the disk, and never stands in memory.</summary>
public sealed class Upload
{
    private const int ValueLength = 200;
    private const int BoundaryLength = 100;

    private readonly Dictionary<string, string> values = new(StringComparer.Ordinal);

    private Upload()
    {
    }

    private string? Path { get; set; }

    private long Size { get; set; }

    private string? FileName { get; set; }

    private string? ContentType { get; set; }

    /// <summary>Reads the whole body; the file is in the folder then.</summary>
    /// <param name="around">Bytes of the body, at most, that are not the file's.</param>
    /// <param name="admit">Says, before anything of the file is received, what may be; throws where nothing may.</param>
    public static async Task<Upload> ReadAsync(
        HttpRequest request, SpoolFolder folder, LimitSettings limits, int around, Func<ConversationId, Task<UploadQuota>> admit,
        CancellationToken ct)
    {
        var boundary = MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            ? HeaderUtilities.RemoveQuotes(type.Boundary).Value : null;
        if (string.IsNullOrEmpty(boundary) || boundary.Length > BoundaryLength)
            throw CommonErrors.Invalid("", "A multipart body with a boundary is expected.");
        var upload = new Upload();
        try
        {
            var reader = new MultipartReader(boundary, request.Body) { HeadersCountLimit = 8, HeadersLengthLimit = 4096 };
            while (await reader.ReadNextSectionAsync(ct) is { } section)
                await upload.TakeAsync(section, folder, limits, request.ContentLength - around, admit, ct);
        }
        // The framework says so of a body that is cut off or no multipart at all.
        catch (Exception e) when (e is InvalidDataException or IOException and not BadHttpRequestException && !ct.IsCancellationRequested)
        {
            throw CommonErrors.Invalid("", "The multipart body is incomplete.");
        }
        return upload;
    }

    public UploadAttachment ToCommand(Actor actor, SpoolFolder folder) => new(
        actor,
        Conversation(),
        folder.Path,
        Path ?? throw CommonErrors.Invalid("file", "A part 'file' that contains a file is expected."),
        Size,
        FileName,
        ContentType,
        Number("durationMs"),
        (int?)Number("sortOrder"));

    private async Task TakeAsync(
        MultipartSection section, SpoolFolder folder, LimitSettings limits, long? least, Func<ConversationId, Task<UploadQuota>> admit,
        CancellationToken ct)
    {
        var name = ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)
            ? HeaderUtilities.RemoveQuotes(disposition.Name).Value
            : null;
        if (name is "file" && Path is null)
        {
            FileName = HeaderUtilities.RemoveQuotes(
                disposition!.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName).Value;
            ContentType = FileType.TryRead(section.ContentType, out var said) ? said : throw NoType();
            var room = await admit(values.ContainsKey("conversationId") ? Conversation() : throw FileFirst());
            room.EnsureFits(least ?? 0);
            var most = FileType.IsImage([], ContentType) ? limits.ImageBytes : Math.Max(limits.FileBytes, limits.ImageBytes);
            await KeepAsync(section.Body, System.IO.Path.Combine(folder.Path, "upload"), most, room, ct);
        }
        else if (name is not ("conversationId" or "durationMs" or "sortOrder") || !values.TryAdd(name, await TextAsync(section.Body, ct)))
        {
            throw CommonErrors.Invalid(
                name is null || name.Any(char.IsControl) ? "" : name,
                "Expected are the parts file, conversationId, durationMs and sortOrder, each once.");
        }
    }

    private async Task KeepAsync(Stream body, string path, long most, UploadQuota room, CancellationToken ct)
    {
        var buffer = new byte[65_536];
        await using var file = Create(path);
        for (int read; (read = await body.ReadAsync(buffer, ct)) > 0;)
        {
            if ((Size += read) > most)
                throw AttachmentErrors.TooLarge(most);
            room.EnsureFits(Size);
            await WriteAsync(file, buffer.AsMemory(0, read), ct);
        }
        Path = path;
    }

    private static FileStream Create(string path)
    {
        try
        {
            return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.Asynchronous);
        }
        catch (IOException e)
        {
            throw new StorageUnavailableException(e);
        }
    }

    private static async Task WriteAsync(FileStream file, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        try
        {
            await file.WriteAsync(bytes, ct);
        }
        catch (IOException e)
        {
            throw new StorageUnavailableException(e);
        }
    }

    private static async Task<string> TextAsync(Stream body, CancellationToken ct)
    {
        var bytes = new byte[ValueLength + 1];
        var length = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct);
        return length <= ValueLength
            ? Encoding.UTF8.GetString(bytes, 0, length)
            : throw CommonErrors.Invalid("", $"A part has at most {ValueLength} bytes.");
    }

    private static RuleException NoType() => CommonErrors.Invalid(
        "file",
        "The Content-Type of the part is a type such as image/png, of at most 127 ASCII characters; leave it out where you do not know.");

    private static RuleException FileFirst() => CommonErrors.Invalid(
        "conversationId", "The part 'conversationId' comes before the part 'file': who may upload is asked first.");

    private ConversationId Conversation() => ConversationId.TryParse(Required("conversationId"), null, out var id)
        ? id
        : throw CommonErrors.Invalid("conversationId", "The id of a conversation is expected, a UUID.");

    private string Required(string name) =>
        values.GetValueOrDefault(name) ?? throw CommonErrors.Invalid(name, $"A part '{name}' is expected.");

    private long? Number(string name) => values.TryGetValue(name, out var text)
        ? int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw CommonErrors.Invalid(name, "A whole number is expected.")
        : null;
}
