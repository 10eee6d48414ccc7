namespace Messaging.Migrations.Migrations;

/// <summary>Refuses at once a post with a context that no conversation can have. The release before refuses it when it is sent.</summary>
[Migration(202611300801, "bound_contexts_of_posts (compatible)")]
public sealed class BoundContextsOfPosts : Migration
{
    private const string Last =
        """
        THEN ARRAY['context is not an object of a type and an id', 'Such as {"type": "order", "id": "4711"}.']
        """;

    private const string Added =
        """
                WHEN char_length(context ->> 'type') > 64 OR char_length(context ->> 'id') > 128
                    THEN ARRAY['context is too long', 'A type has up to 64 characters, and an id up to 128.']
        """;

    public override void Up() => Execute.Sql(LetPostsBeSilent.Function.Replace(Last, $"{Last}\n{Added}", StringComparison.Ordinal));

    public override void Down() => Execute.Sql(LetPostsBeSilent.Function);
}
