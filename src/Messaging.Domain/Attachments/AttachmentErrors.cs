using Messaging.Domain.Common;

namespace Messaging.Domain.Attachments;

public static class AttachmentErrors
{
    /// <summary>Worded the same whether it is absent, somebody else's, another conversation's or used already.</summary>
    public static RuleException NoSuchAttachment(int index) => CommonErrors.Invalid(
        $"attachmentIds/{index}", "There is no such attachment of yours in this conversation that no message has named yet.");

    public static RuleException WrongCategory(int index, string type, string expected) => CommonErrors.Invalid(
        $"attachmentIds/{index}", $"A message of type '{type}' takes {expected}.");

    public static RuleException NotInConversation() => CommonErrors.Invalid(
        "conversationId", "You do not take part in a conversation of this id.");

    public static RuleException TooManyUnnamed(int limit) => new(new Problem(
        ProblemCodes.LimitReached,
        $"At most {limit} of your files wait for a message to name them; send some, or wait: one that no message names goes after 24 h."));

    public static RuleException TooManyBytes(long limit, int resetSeconds) => new(new Problem(
        ProblemCodes.RateLimited, $"You upload at most {limit} bytes a day; go on in {resetSeconds} s.")
        {
            RetryAfterSeconds = resetSeconds,
            Budget = new BudgetState("upload-bytes", (int)Math.Min(limit, int.MaxValue), 86_400, 0, resetSeconds),
        });

    public static RuleException TooManyAtOnce(int limit) => new(new Problem(
        ProblemCodes.RateLimited, $"Of one user, {limit} uploads are received at a time, and these take long; go on when one has ended.")
    {
        RetryAfterSeconds = 10,
    });

    public static RuleException DecoderBusy() => new(new Problem(
        ProblemCodes.Unavailable, "Too many images are being looked at just now; this one was not kept. Send it again a little later.")
    {
        RetryAfterSeconds = 10,
    });

    public static RuleException TooLarge(long bytes) => new(new Problem(
        ProblemCodes.TooLarge, $"A file of this kind has at most {bytes} bytes.", "file"));

    public static RuleException TooManyPixels(int megapixels) => new(new Problem(
        ProblemCodes.TooLarge, $"An image has at most {megapixels} megapixels, all its frames together.", "file"));

    public static RuleException NotWhatItSays(string declared) => new(new Problem(
        ProblemCodes.UnsupportedMedia, $"The bytes are not of the type '{declared}'; send the type that they are of, or none.", "file"));

    public static RuleException Undecodable() => new(new Problem(
        ProblemCodes.UndecodableFile, "The image cannot be decoded: it is damaged, or not what its beginning says.", "file"));

    public static RuleException Unsafe() => new(new Problem(
        ProblemCodes.UnsafeFile, "The virus scanner refuses this file; it was not kept.", "file"));

    /// <summary>The signature does not fit the address, or its time is over.</summary>
    public static RuleException BadSignature() => new(new Problem(
        ProblemCodes.NotAllowed, "This address is not valid, or not any more; GET /v1/attachments/{id} gives fresh ones."));

    public static RuleException StorageAway() => new(new Problem(
        ProblemCodes.Unavailable, "The storage of files does not answer; everything else works. Nothing is lost by trying again.")
    {
        RetryAfterSeconds = 5,
    });
}
