using Messaging.Domain.Common;

namespace Messaging.Domain.Conversations;

/// <summary>The host product's own object that a conversation is about.</summary>
/// <param name="Type">1 to 64 of <c>[A-Za-z0-9_.-]</c>, such as <c>posting</c>.</param>
/// <param name="Id">The host's id of it, 1 to 128 characters.</param>
public sealed record ConversationContext(string Type, string Id);

/// <summary>What a conversation says of itself, and its rules. Of a direct one that is metadata alone.</summary>
/// <param name="Metadata">A JSON object as text.</param>
/// <param name="Policy">The rules of its own, a JSON object as text; null where it has none.</param>
public sealed record Profile(string? Name, string? Description, string? AvatarUrl, string? Slug, string? Metadata, string? Policy)
{
    /// <summary>The same with a slug, as a group has one: made from its name where none was given.</summary>
    public Profile WithSlug(ConversationId id) => Slug is null ? this with { Slug = SlugOf(Name!, id) } : this;

    /// <summary>A slug for a group that has none; unique without asking, since the end of the id is random.</summary>
    public static string SlugOf(string name, ConversationId id)
    {
        var words = new string([.. name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]);
        var stem = string.Join('-', words.Split('-', StringSplitOptions.RemoveEmptyEntries));
        stem = stem[..Math.Min(stem.Length, 80)].Trim('-');
        var suffix = id.Value.ToString("N")[^12..];
        return stem.Length == 0 ? suffix : $"{stem}-{suffix}";
    }
}
