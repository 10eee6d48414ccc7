using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>Sending and reading messages, with what hangs on them.</summary>
public sealed class MessagesModule : Module
{
    // So that a repeat is known. Index: ix_message_keys_created_at.
    private const string MessageKeysSql =
        """
        DELETE FROM message_keys
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM message_keys WHERE created_at < @Before LIMIT @Limit))
        """;

    // Index: pk_message_gaps.
    private const string PurgeGapsSql = "DELETE FROM message_gaps WHERE conversation_id = $1";

    // Index: pk_message_hidden.
    private const string PurgeHiddenSql = "DELETE FROM message_hidden WHERE conversation_id = $1";

    // Index: pk_message_edits.
    private const string PurgeEditsSql = "DELETE FROM message_edits WHERE conversation_id = $1";

    // Index: pk_message_originals.
    private const string PurgeOriginalsSql = "DELETE FROM message_originals WHERE conversation_id = $1";

    // Index: pk_mentions.
    private const string PurgeMentionsSql = "DELETE FROM mentions WHERE conversation_id = $1";

    public override IReadOnlyList<string> Tables { get; } =
    [
        "messages", "message_keys", "message_gaps", "message_hidden", "message_edits", "message_originals", "mentions", "pins",
    ];

    // An edit is timed for slow mode; that there are messages one has deleted for oneself, which do not count.
    public override IReadOnlyList<string> AlsoWrites { get; } = ["participants", "participant_gaps"];

    public override IReadOnlyList<OldRows> OldRows { get; } = [new(MessageKeysSql, Duration.FromDays(8))];

    public override IReadOnlyList<string> Purges { get; } =
        [PurgeGapsSql, PurgeHiddenSql, PurgeEditsSql, PurgeOriginalsSql, PurgeMentionsSql];

    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<MessageDetailSet>();
        services.AddScoped<MessageSender>();
        services.AddScoped<MessageReader>();
    }
}
