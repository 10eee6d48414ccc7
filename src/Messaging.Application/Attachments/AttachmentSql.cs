using Messaging.Application.Messages;
using Messaging.Domain.Attachments;

namespace Messaging.Application.Attachments;

/// <summary><see cref="Attachment"/> in SQL, for statements that name the attachment <c>a</c>.</summary>
public static class AttachmentSql
{
    /// <summary>Whether anybody may know of it.</summary>
    public const string There = "(a.is_stored AND NOT a.is_released)";

    /// <summary>Whether its bytes are given to who may see it.</summary>
    public const string Served = $"{There} AND a.scan IN ('clean', 'skipped')";

    /// <summary>Whether no message names it. Predicate of the indexes ix_attachments_unused and ix_attachments_unnamed.</summary>
    public const string Unnamed = "a.seq IS NULL";

    /// <summary>Whether a message of its uploader may name it.</summary>
    public const string Nameable = $"{Unnamed} AND a.is_stored AND a.scan <> 'infected'";

    /// <summary>
    /// Whether a user <c>@UserId</c>, whose participation is <c>p</c>, sees it, where <c>m</c> has the seq of its message.
    /// </summary>
    public const string Seen = $"{There} AND CASE WHEN {Unnamed} THEN a.uploader_id = @UserId ELSE {VisibilitySql.Seen} END";
}
