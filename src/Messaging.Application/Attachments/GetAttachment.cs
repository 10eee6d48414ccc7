using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Attachments;

/// <summary>A file with fresh addresses: one's own, or one of a message that one may see.</summary>
public sealed record GetAttachment(Actor Actor, AttachmentId Id) : IQuery<AttachmentView>;

public sealed class GetAttachmentHandler(AttachmentStore attachments, FileUrls urls) : IRequestHandler<GetAttachment, AttachmentView>
{
    public async Task<AttachmentView> Handle(GetAttachment query, CancellationToken ct) =>
        (await attachments.FindAsync(query.Id, query.Actor, ct) ?? throw CommonErrors.NotFound()).ToView(urls, UrlAudience.Caller);
}
