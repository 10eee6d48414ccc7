using Messaging.Domain.Common;

namespace Messaging.Api.Errors;

/// <summary>What every answer with the same code has in common.</summary>
public sealed record ProblemKind(string Code, int Status, string Title)
{
    public string Type => Prefix + Code;

    public const string Prefix = "urn:messaging:problem:";
}

/// <summary>The contract's table of codes.</summary>
public static class ProblemKinds
{
    /// <summary>Every code with the one status that it always has.</summary>
    public static readonly IReadOnlyList<ProblemKind> All =
    [
        new(ProblemCodes.InvalidRequest, 400, "The request is not valid"),
        new(ProblemCodes.Unauthenticated, 401, "A valid credential is needed"),
        new(ProblemCodes.NotAllowed, 403, "This is not allowed"),
        new(ProblemCodes.Blocked, 403, "One of the two users has blocked the other"),
        new(ProblemCodes.NotAContact, 403, "The other user is not a contact"),
        new(EdgeCodes.ScopeMissing, 403, "The service key lacks a scope"),
        new(ProblemCodes.NotFound, 404, "Not found"),
        new(EdgeCodes.MethodNotAllowed, 405, "The method is not allowed here"),
        new(EdgeCodes.NotAcceptable, 406, "No acceptable content type"),
        new(EdgeCodes.RequestTimeout, 408, "The request took too long to arrive"),
        new(ProblemCodes.ConversationClosed, 409, "The conversation is closed"),
        new(ProblemCodes.ConversationArchived, 409, "The conversation is archived"),
        new(ProblemCodes.GroupFull, 409, "The group is full"),
        new(ProblemCodes.Banned, 409, "The user is banned from the conversation"),
        new(ProblemCodes.LastOwner, 409, "A group must have an owner"),
        new(ProblemCodes.EditWindowPassed, 409, "It is too late to edit the message"),
        new(ProblemCodes.DeleteWindowPassed, 409, "It is too late to delete the message"),
        new(ProblemCodes.MessageDeleted, 409, "The message was deleted"),
        new(ProblemCodes.RequestPending, 409, "The message request has not been answered"),
        new(ProblemCodes.AlreadyExists, 409, "It already exists"),
        new(ProblemCodes.DirectIsFixed, 409, "A direct conversation keeps its two participants"),
        new(ProblemCodes.LimitReached, 409, "The limit has been reached"),
        new(ProblemCodes.WebhookDisabled, 409, "The webhook is disabled"),
        new(EdgeCodes.IdempotencyInProgress, 409, "The same request is still in progress"),
        new(ProblemCodes.CursorExpired, 410, "The cursor has expired"),
        new(ProblemCodes.VersionMismatch, 412, "It has changed in the meantime"),
        new(ProblemCodes.TooLarge, 413, "The content is too large"),
        new(ProblemCodes.UnsupportedMedia, 415, "The content type is not supported, or does not match the bytes"),
        new(EdgeCodes.RangeNotSatisfiable, 416, "The file does not have this range"),
        new(ProblemCodes.UnsafeFile, 422, "The file is not safe"),
        new(ProblemCodes.UndecodableFile, 422, "The file cannot be decoded"),
        new(ProblemCodes.IdempotencyKeyReused, 422, "The key was used for another request"),
        new(ProblemCodes.RateLimited, 429, "Too many requests"),
        new(EdgeCodes.HeadersTooLarge, 431, "The headers are too large"),
        new(ProblemCodes.Internal, 500, "Something went wrong here"),
        new(ProblemCodes.Unavailable, 503, "The service is currently unavailable"),
    ];

    private static readonly Dictionary<string, ProblemKind> ByCode = All.ToDictionary(kind => kind.Code, StringComparer.Ordinal);

    /// <summary>A code that stands in no table is a defect of ours.</summary>
    public static ProblemKind Of(string code) => ByCode.GetValueOrDefault(code) ?? ByCode[ProblemCodes.Internal];
}
