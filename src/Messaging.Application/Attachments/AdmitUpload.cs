using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;

namespace Messaging.Application.Attachments;

/// <summary>Asks whether somebody may upload a file for a message of the conversation, before anything of the file is received.</summary>
public sealed record AdmitUpload(Actor Actor, ConversationId ConversationId) : IQuery<UploadQuota>;

public sealed class AdmitUploadHandler(UploadStore uploads) : IRequestHandler<AdmitUpload, UploadQuota>
{
    public Task<UploadQuota> Handle(AdmitUpload query, CancellationToken ct) => uploads.AdmitAsync(query.Actor, query.ConversationId, ct);
}
