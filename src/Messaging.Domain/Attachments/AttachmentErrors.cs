using Messaging.Domain.Common;

namespace Messaging.Domain.Attachments;

public static class AttachmentErrors
{
    /// <summary>Worded the same whether it is absent, somebody else's, another conversation's or used already.</summary>
    public static RuleException NoSuchAttachment(int index) => CommonErrors.Invalid(
        $"attachmentIds/{index}", "You have no such unsent attachment in this conversation.");

    public static RuleException WrongCategory(int index, string type, string expected) => CommonErrors.Invalid(
        $"attachmentIds/{index}", $"A message of type '{type}' takes {expected}.");

    public static RuleException NotInConversation() => CommonErrors.Invalid(
        "conversationId", "You are not a participant of a conversation with this id.");

    public static RuleException TooManyUnnamed(int limit) => new(new Problem(
        ProblemCodes.LimitReached,
        $"At most {limit} of your uploads can be unsent at a time; send some, or wait: unsent files are removed after 24 h."));

    public static RuleException TooManyBytes(long limit, int resetSeconds) => new(new Problem(
        ProblemCodes.RateLimited, $"You upload at most {limit} bytes a day; retry in {resetSeconds} s.")
        {
            RetryAfterSeconds = resetSeconds,
            Budget = new BudgetState("upload-bytes", (int)Math.Min(limit, int.MaxValue), 86_400, 0, resetSeconds),
        });

    public static RuleException TooManyAtOnce(int limit) => new(new Problem(
        ProblemCodes.RateLimited, $"Of one user, {limit} uploads can run at a time; retry when one has finished.")
    {
        RetryAfterSeconds = 10,
    });

    public static RuleException DecoderBusy() => new(new Problem(
        ProblemCodes.Unavailable, "Too many images are being processed; this one was not stored. Send it again later.")
    {
        RetryAfterSeconds = 10,
    });

    public static RuleException TooLarge(long bytes) => new(new Problem(
        ProblemCodes.TooLarge, $"A file of this kind has at most {bytes} bytes.", "file"));

    public static RuleException TooManyPixels(int megapixels) => new(new Problem(
        ProblemCodes.TooLarge, $"An image has at most {megapixels} megapixels, all its frames together.", "file"));

    public static RuleException NotWhatItSays(string declared) => new(new Problem(
        ProblemCodes.UnsupportedMedia, $"The bytes do not match the type '{declared}'; send the correct type, or none.", "file"));

    public static RuleException Undecodable() => new(new Problem(
        ProblemCodes.UndecodableFile, "The image cannot be decoded: it is damaged, or not of the type that its first bytes indicate.",
        "file"));

    public static RuleException Unsafe() => new(new Problem(
        ProblemCodes.UnsafeFile, "The virus scanner rejected this file; it was not stored.", "file"));

    /// <summary>The signature does not fit the address, or its time is over.</summary>
    public static RuleException BadSignature() => new(new Problem(
        ProblemCodes.NotAllowed, "This URL is invalid or has expired; GET /v1/attachments/{id} returns fresh URLs."));

    public static RuleException StorageAway() => new(new Problem(
        ProblemCodes.Unavailable, "The file storage does not respond; everything else works. It is safe to retry.")
    {
        RetryAfterSeconds = 5,
    });
}
