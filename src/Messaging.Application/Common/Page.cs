using System.Buffers.Text;
using System.Text;
using Messaging.Domain.Common;

namespace Messaging.Application.Common;

/// <summary>A page of a list; every list but the message history has this form.</summary>
/// <param name="NextCursor">Pass it as <c>?cursor=</c> for the next page; null on the last page. Opaque to clients.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor = null);

public static class Page
{
    /// <summary>Makes a page out of one row more than was asked for.</summary>
    public static Page<T> Of<T>(IReadOnlyList<T> rows, int limit, Func<T, string> cursorOf) => rows.Count > limit
        ? new Page<T>([.. rows.Take(limit)], cursorOf(rows[limit - 1]))
        : new Page<T>(rows, NextCursor: null);
}

/// <summary>Opaque cursors: parts that no client should read, and none can break.</summary>
public static class PageCursor
{
    public const int DefaultLimit = 30;
    public const int MaxLimit = 100;

    public static string Encode(params ReadOnlySpan<string> parts) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Join('\n', parts)));

    /// <summary>The parts of a cursor; refuses one that this list did not make.</summary>
    public static string[] Decode(string cursor, int parts)
    {
        try
        {
            var decoded = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor)).Split('\n');
            return decoded.Length == parts && Array.TrueForAll(decoded, StrictText.IsStorable) ? decoded : throw Malformed();
        }
        catch (FormatException)
        {
            throw Malformed();
        }
    }

    public static RuleException Malformed() =>
        CommonErrors.Invalid("cursor", "The cursor belongs to another list or is damaged; start again without it.");
}
