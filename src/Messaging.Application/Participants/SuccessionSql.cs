using Messaging.Domain.Conversations;

namespace Messaging.Application.Participants;

/// <summary><see cref="Conversation.BySuccession"/> in SQL, for statements that name as <c>p</c> who takes part beside the owner.</summary>
public static class SuccessionSql
{
    public const string Line = "p.role <> 'admin', p.joined_at, p.user_id";
}
