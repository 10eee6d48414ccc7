using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Posts;

/// <summary>Finds what posts were sent as.</summary>
public sealed class PostStore(DbSession session)
{
    // Index: pk_message_keys, pk_direct_keys, pk_messages in the month of the message.
    private const string SentSql =
        """
        SELECT m.conversation_id, m.id
        FROM message_keys k
        JOIN messages m ON m.conversation_id = k.conversation_id AND m.created_at = k.created_at AND m.seq = k.seq
        WHERE k.sender_id = @SenderId AND k.client_key = @Key AND k.fingerprint = @Fingerprint AND k.conversation_id = coalesce(
            @ConversationId::uuid, (SELECT conversation_id FROM direct_keys WHERE direct_key = @DirectKey::text))
        """;

    /// <summary>
    /// The message that a post was sent as, also where its sender could not send it any more; null for none. Another message under its name
    /// is not it.
    /// </summary>
    public async Task<PostedMessage?> FindSentAsync(Post post, CancellationToken ct)
    {
        try
        {
            var content = post.ToContent();
            return await session.QuerySingleOrDefaultAsync<PostedMessage>(
                SentSql,
                new
                {
                    SenderId = post.SenderId?.Value ?? "", ConversationId = post.ConversationId?.Value, DirectKey = DirectKey(post),
                    Key = content.ClientMessageId, Fingerprint = content.Fingerprint(),
                },
                ct);
        }
        catch (Exception e) when (e is RuleException or JsonException)
        {
            // What cannot be read was never sent.
            return null;
        }
    }

    private static string? DirectKey(Post post) => post is { SenderId: { } sender, RecipientId: { } recipient }
        ? NewConversation.DirectKey(sender, recipient, post.ToContext())
        : null;
}
