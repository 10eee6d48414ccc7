namespace Messaging.Application.Presence;

public static class Relations
{
    /// <summary>
    /// Holds where <c>pair.viewer_id</c> may know of the presence of <c>pair.other_id</c>: oneself, and people with whom one shares a
    /// conversation (of two, one that was accepted) or are a contact, unless one has blocked the other. Index: pk_contacts, pk_blocks,
    /// ix_participants_inbox for the conversations of one of the two, pk_participants for the other one in each, pk_conversations for those
    /// that both are in. Driven by the viewer's conversations, unless those are many: then the other one's are the fewer, as with a support
    /// desk and its customers.
    /// </summary>
    public const string Related =
        """
        (NOT EXISTS (SELECT FROM blocks WHERE user_id = pair.viewer_id AND blocked_id = pair.other_id)
        AND NOT EXISTS (SELECT FROM blocks WHERE user_id = pair.other_id AND blocked_id = pair.viewer_id)
        AND (pair.viewer_id = pair.other_id
            OR EXISTS (SELECT FROM contacts WHERE user_id = pair.viewer_id AND contact_id = pair.other_id AND status = 'accepted') OR CASE
            WHEN (SELECT count(*) FROM (
                SELECT FROM participants WHERE user_id = pair.viewer_id AND left_at IS NULL LIMIT 300) AS few) < 300
            THEN EXISTS (
                SELECT FROM participants a
                CROSS JOIN LATERAL (
                    SELECT FROM participants b
                    JOIN conversations c ON c.id = b.conversation_id
                    WHERE b.conversation_id = a.conversation_id AND b.user_id = pair.other_id AND b.left_at IS NULL AND NOT b.pending
                        AND c.request IS NULL
                    LIMIT 1
                ) AS shared
                WHERE a.user_id = pair.viewer_id AND a.left_at IS NULL AND NOT a.pending)
            ELSE EXISTS (
                SELECT FROM participants a
                CROSS JOIN LATERAL (
                    SELECT FROM participants b
                    JOIN conversations c ON c.id = b.conversation_id
                    WHERE b.conversation_id = a.conversation_id AND b.user_id = pair.viewer_id AND b.left_at IS NULL AND NOT b.pending
                        AND c.request IS NULL
                    LIMIT 1
                ) AS shared
                WHERE a.user_id = pair.other_id AND a.left_at IS NULL AND NOT a.pending)
        END))
        """;
}
