using Messaging.Domain.Conversations;

namespace Messaging.Application.Receipts;

/// <summary>Rules of receipts in SQL, for statements that name the conversation <c>c</c>.</summary>
public static class ReceiptSql
{
    /// <summary><see cref="Conversation.IsLarge"/>: only then it is asked who waits to learn how far somebody has come.</summary>
    public const string IsLarge = "c.participant_count > 30";
}
