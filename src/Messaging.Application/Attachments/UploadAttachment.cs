using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Attachments;

/// <summary>Keeps a file that was received, as its uploader's own until a message of the conversation names it.</summary>
/// <param name="Folder">A folder of its own with the file in it; whoever sends this removes it afterwards.</param>
/// <param name="Path">The file, within that folder.</param>
/// <param name="ContentType">What the uploader says that it is, as <see cref="FileType.TryRead"/> reads it; null where that one says
/// nothing.</param>
public sealed record UploadAttachment(
    Actor Actor, ConversationId ConversationId, string Folder, string Path, long Size, string? FileName, string? ContentType,
    long? DurationMs,
    int? SortOrder) : ICommand<AttachmentView>;

public sealed class UploadAttachmentValidator : AbstractValidator<UploadAttachment>
{
    public UploadAttachmentValidator()
    {
        RuleFor(c => c.DurationMs).InclusiveBetween(0, 24 * 3_600_000).WithMessage("Between 0 and 86400000 milliseconds are expected.");
        RuleFor(c => c.SortOrder).InclusiveBetween(0, 1_000).WithMessage("Between 0 and 1000 is expected.");
    }
}

public sealed class UploadAttachmentHandler(
    DbSession session, UploadStore uploads, AttachmentStore attachments, IFileStorage storage, IImageMaker images, IVirusScanner scanner,
    FileUrls urls, LimitSettings limits, IClock clock)
    : IRequestHandler<UploadAttachment, AttachmentView>
{
    // The bytes count before anything is looked at: a file that is refused costs its user what one that is kept does.
    public async Task<AttachmentView> Handle(UploadAttachment command, CancellationToken ct)
    {
        var user = command.Actor.RequireUser();
        if (command.Size == 0)
            throw CommonErrors.Invalid("file", "The file is empty.");
        await session.BeginAsync(ct);
        await uploads.TakeAsync(command.Actor, command.ConversationId, command.Size, ct);
        await session.CommitAsync(ct);
        try
        {
            return await LookAsync(command, user, ct);
        }
        catch (Exception e) when (IsOurs(e))
        {
            await session.RollbackAsync();
            await uploads.GiveBackAsync(user, command.Size, CancellationToken.None);
            throw;
        }
    }

    // Neither what is refused, nor what the caller does not wait for.
    private static bool IsOurs(Exception e) =>
        e is not OperationCanceledException && (e is not RuleException rule || rule.Problem.Code == ProblemCodes.Unavailable);

    // The bytes decide what it is; then what it costs to look at them rises: size, scanner, pixels.
    private async Task<AttachmentView> LookAsync(UploadAttachment command, UserId user, CancellationToken ct)
    {
        var head = await HeadAsync(command.Path, ct);
        var most = FileType.IsImage(head, command.ContentType) ? limits.ImageBytes : limits.FileBytes;
        if (command.Size > most)
            throw AttachmentErrors.TooLarge(most);
        var type = FileType.Of(head, command.ContentType);
        var scan = await scanner.ScanAsync(command.Path, ct);
        if (scan is ScanState.Infected)
            throw AttachmentErrors.Unsafe();

        IReadOnlyList<ImageVariant> made = type.IsDecodable && images.IsAvailable
            ? await images.MakeAsync(user, command.Path, type, command.Folder, ct)
            : [new ImageVariant(StoredFile.Original, command.Path, 0, 0)];
        return await KeepAsync(command, user, type, scan, made, ct);
    }

    private async Task<AttachmentView> KeepAsync(
        UploadAttachment command, UserId user, FileType type, ScanState scan, IReadOnlyList<ImageVariant> made, CancellationToken ct)
    {
        var now = clock.GetCurrentInstant();
        var id = AttachmentId.New(now);
        var files = made.Select(image => (image.Path, File: new StoredFile(
            image.Variant, $"{command.ConversationId}/{id}/{Guid.NewGuid():N}_{image.Variant}.{type.Extension}", type.ContentType,
            new FileInfo(image.Path).Length, made.Count > 1 ? image.Width : null, made.Count > 1 ? image.Height : null))).ToList();
        var original = files[0].File;
        var attachment = new NewAttachment(
            id, command.ConversationId, user, Attachments.FileName.Of(command.FileName, type), type.ContentType, type.Category,
            original.Size,
            original.Width, original.Height,
            type.Category is AttachmentCategory.Audio or AttachmentCategory.Video ? command.DurationMs : null,
            command.SortOrder, scan, [.. files.Select(file => file.File)], now);
        await NoteAsync(command, attachment, ct);
        try
        {
            foreach (var (path, file) in files)
                await storage.SaveAsync(file.Key, path, file.ContentType, ct);
        }
        catch
        {
            await attachments.DropAsync(attachment, CancellationToken.None);
            throw;
        }
        await attachments.KeepAsync(attachment, ct);
        return (await attachments.FindAsync(id, command.Actor, ct) ?? throw CommonErrors.NotFound()).ToView(urls, UrlAudience.Caller);
    }

    // Short, since the user's other uploads wait for it. The bytes are counted already.
    private async Task NoteAsync(UploadAttachment command, NewAttachment attachment, CancellationToken ct)
    {
        await session.BeginAsync(ct);
        await uploads.TakeAsync(command.Actor, command.ConversationId, bytes: 0, ct);
        if (!await attachments.AddAsync(attachment, Guid.NewGuid(), ct))
            throw AttachmentErrors.NotInConversation();
        await session.CommitAsync(ct);
    }

    private static async Task<byte[]> HeadAsync(string path, CancellationToken ct)
    {
        await using var file = File.OpenRead(path);
        var head = new byte[FileType.HeadLength];
        var length = await file.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, ct);
        return head[..length];
    }
}
