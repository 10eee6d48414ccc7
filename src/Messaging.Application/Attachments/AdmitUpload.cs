using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Attachments;

/// <summary>Asks whether somebody may upload a file for a message of the conversation, before anything of the file is received.</summary>
public sealed record AdmitUpload(Actor Actor, ConversationId ConversationId) : IQuery<UploadRoom>;

/// <summary>What a user may still upload today.</summary>
/// <param name="Limit">Bytes a day.</param>
/// <param name="Left">Bytes that are left of them.</param>
/// <param name="ResetSeconds">Seconds until the day ends, in UTC.</param>
public sealed record UploadRoom(long Limit, long Left, int ResetSeconds);

public sealed class AdmitUploadHandler(UploadStore uploads) : IRequestHandler<AdmitUpload, UploadRoom>
{
    public Task<UploadRoom> Handle(AdmitUpload query, CancellationToken ct) => uploads.AdmitAsync(query.Actor, query.ConversationId, ct);
}
