using Messaging.Application.Common;
using NodaTime;

namespace Messaging.Application.Posts;

/// <summary>Messages that hosts on the same server post within transactions of their own.</summary>
public sealed class PostsModule : Module
{
    // Index: ix_host_posts_done_at.
    private const string DoneSql =
        """
        DELETE FROM host_posts
        WHERE id IN (
            SELECT id
            FROM host_posts
            WHERE done_at < @Before
            ORDER BY done_at
            LIMIT @Limit
        )
        """;

    public override IReadOnlyList<string> Tables { get; } = ["host_posts"];

    public override IReadOnlyList<OldRows> OldRows { get; } = [new(DoneSql, Duration.FromDays(7))];
}
