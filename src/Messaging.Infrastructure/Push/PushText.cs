using System.Globalization;
using Messaging.Application.Push;

namespace Messaging.Infrastructure.Push;

/// <summary>Makes what is sent fit into what a provider takes.</summary>
public static class PushText
{
    private const string Cut = "…";

    /// <summary>
    /// The body of a push of at most <paramref name="limit"/> bytes: where it would be longer, first its text and then its title is cut,
    /// between characters as a reader sees them.
    /// </summary>
    public static byte[] Fit(PushMessage push, int limit, Func<PushMessage, byte[]> write)
    {
        var whole = write(push);
        if (whole.Length <= limit)
            return whole;
        return Shorten(push.Body, body => write(push with { Body = body }), limit)
            ?? Shorten(push.Title, title => write(push with { Title = title, Body = "" }), limit)
            ?? write(push with { Title = "", Body = "" });
    }

    // The longest beginning that fits, found by halving; null where not even one character does.
    private static byte[]? Shorten(string text, Func<string, byte[]> write, int limit)
    {
        // No character takes less than a byte: what is beyond the limit need not be looked at.
        var starts = StringInfo.ParseCombiningCharacters(text.Length > limit ? text[..limit] : text);
        byte[]? best = null;
        for (var (least, most) = (1, starts.Length - 1); least <= most;)
        {
            var middle = (least + most) / 2;
            var written = write(text[..starts[middle]] + Cut);
            if (written.Length <= limit)
                (best, least) = (written, middle + 1);
            else
                most = middle - 1;
        }
        return best;
    }
}
