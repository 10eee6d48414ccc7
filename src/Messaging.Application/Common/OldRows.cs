using NodaTime;

namespace Messaging.Application.Common;

/// <summary>Rows of a module that are kept for a time only. Found by scanning, and forgotten once an hour, a thousand a commit.</summary>
/// <param name="sql">Deletes at most <c>@Limit</c> of those that were over before <c>@Before</c>.</param>
/// <param name="kept">How long they are kept after they were over.</param>
public abstract class OldRows(string sql, Duration kept)
{
    public string Statement { get; } = sql;

    public Duration Kept { get; } = kept;
}
