using Messaging.Domain.Messages;

namespace Messaging.Domain.Attachments;

/// <summary>Which files a message of a type takes.</summary>
public static class AttachmentRules
{
    /// <summary>Refuses a file that the message cannot show as what it is.</summary>
    /// <param name="index">The file's place among those that the message names.</param>
    public static void EnsureFits(MessageType type, AttachmentCategory category, long? durationMs, int index)
    {
        var (fits, expected) = type switch
        {
            MessageType.Image => (category is AttachmentCategory.Image, "images: JPEG, PNG, GIF or WebP"),
            MessageType.Voice =>
                (category is AttachmentCategory.Audio && durationMs is not null, "sound that was uploaded with its durationMs"),
            MessageType.Video => (category is AttachmentCategory.Video, "video"),
            _ => (true, "any file"),
        };
        if (!fits)
            throw AttachmentErrors.WrongCategory(index, type.ToString().ToLowerInvariant(), expected);
    }
}
