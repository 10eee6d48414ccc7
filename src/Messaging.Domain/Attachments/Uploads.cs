namespace Messaging.Domain.Attachments;

/// <summary>What a user has uploaded today, and what of all that no message names yet.</summary>
/// <param name="ResetSeconds">Until the day is over.</param>
public sealed record Uploads(long Bytes, long Unnamed, int ResetSeconds)
{
    /// <summary>What may still be uploaded today; refuses whoever has files enough that no message names.</summary>
    public UploadQuota Within(long bytesPerDay, int unnamedFiles) => Unnamed < unnamedFiles
        ? new UploadQuota(bytesPerDay, bytesPerDay - Bytes, ResetSeconds)
        : throw AttachmentErrors.TooManyUnnamed(unnamedFiles);
}

/// <summary>How many bytes one may still upload today.</summary>
/// <param name="Limit">How many there are a day.</param>
/// <param name="ResetSeconds">Until there are as many again.</param>
public sealed record UploadQuota(long Limit, long Left, int ResetSeconds)
{
    /// <summary>Refuses more than there is room for.</summary>
    public void EnsureFits(long bytes)
    {
        if (bytes > Left)
            throw AttachmentErrors.TooManyBytes(Limit, ResetSeconds);
    }
}
