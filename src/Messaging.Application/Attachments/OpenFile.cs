using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;

namespace Messaging.Application.Attachments;

/// <summary>The bytes behind a signed address.</summary>
/// <param name="FromStart">Whether they are asked for from the first one.</param>
public sealed record OpenFile(AttachmentId Id, string Variant, long Expires, string? Signature, bool FromStart) : ICommand<OpenedFile>;

/// <summary>A file that is read and closed by whoever asked for it.</summary>
/// <param name="IsShown">Whether a browser may show it, rather than keep it.</param>
/// <param name="Tag">The same for the same bytes.</param>
public sealed record OpenedFile(Stream Content, string ContentType, string FileName, bool IsShown, string Tag);

public sealed class OpenFileHandler(AttachmentStore attachments, IFileStorage storage, FileUrls urls)
    : IRequestHandler<OpenFile, OpenedFile>
{
    public async Task<OpenedFile> Handle(OpenFile command, CancellationToken ct)
    {
        var row = await attachments.FindServedAsync(command.Id, ct) ?? throw CommonErrors.NotFound();
        if (!urls.Holds(command.Id, row.Secret, command.Variant, command.Expires, command.Signature))
            throw AttachmentErrors.BadSignature();
        var files = MessagingJson.Read<List<StoredFile>>(row.Files)!;
        var file = files.Find(file => file.Variant == command.Variant) ?? throw CommonErrors.NotFound();
        var content = await storage.OpenAsync(file.Key, ct) ?? throw CommonErrors.NotFound();
        if (command is { FromStart: true, Variant: StoredFile.Original })
            await attachments.CountDownloadAsync(command.Id, ct);
        // What was made anew here, and what is only heard or seen; anything else might run.
        var isShown = files.Count > 1 || row.Category is AttachmentCategory.Audio or AttachmentCategory.Video;
        return new OpenedFile(content, FileType.Served(file.ContentType), row.FileName, isShown, $"{command.Id}-{command.Variant}");
    }
}
