using Messaging.Domain.Common;

namespace Messaging.Application.Posts;

/// <summary>What services are told of a post that was refused.</summary>
public sealed record RefusedPost
{
    /// <summary>What <c>messaging.post</c> returned.</summary>
    public required Guid PostId { get; init; }

    public string? SenderId { get; init; }

    public Guid? ConversationId { get; init; }

    public string? RecipientId { get; init; }

    public required string Code { get; init; }

    public required string Detail { get; init; }

    /// <summary>The argument of <c>messaging.post</c>, or the member of its message, that is wrong.</summary>
    public string? Member { get; init; }

    public static RefusedPost For(Post post, Problem problem) => new()
    {
        PostId = post.Id,
        SenderId = post.SenderId?.Value,
        ConversationId = post.ConversationId?.Value,
        RecipientId = post.RecipientId?.Value,
        Code = problem.Code,
        Detail = problem.Detail,
        Member = problem.Member,
    };
}
