using Messaging.Application.Common;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;

namespace Messaging.Api.Attachments;

/// <summary>
/// Where uploads wait before anything of them is read: few of one user are received at once, so that what is on the disk and not counted
/// yet is little. One lane per node.
/// </summary>
public sealed class UploadLane : IAsyncDisposable
{
    private const int OfUser = 3;

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(20);

    private readonly UserQueue turns = new(atOnce: null, MaxWait, OfUser);

    /// <summary>The turn, which ends when it is disposed.</summary>
    public async Task<IDisposable> TakeAsync(UserId user, CancellationToken ct) =>
        await turns.TryTakeAsync(user, ct) ?? throw AttachmentErrors.TooManyAtOnce(OfUser);

    public ValueTask DisposeAsync() => turns.DisposeAsync();
}
