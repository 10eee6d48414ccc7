namespace Messaging.Application.Common;

/// <summary>Takes a user's words literally in a LIKE pattern.</summary>
public static class LikePattern
{
    public static string Escape(string text) => text
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("%", "\\%", StringComparison.Ordinal)
        .Replace("_", "\\_", StringComparison.Ordinal);
}
