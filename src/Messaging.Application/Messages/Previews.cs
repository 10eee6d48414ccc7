using Messaging.Application.Common;

namespace Messaging.Application.Messages;

/// <summary>What of a message's text is shown beside something else: a quote, the newest one of a conversation, a request.</summary>
public static class Previews
{
    /// <summary>The same in SQL, where one row alone has a text. Of a deleted message there is none.</summary>
    public const string Text = "left(text, 120)";

    /// <summary>Code points, as in <see cref="Text"/>.</summary>
    private const int Length = 120;

    public static string? Of(string? text) => text is null ? null : StrictText.First(text, Length);
}
