using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>One's own settings, for one's own devices.</summary>
public sealed class SettingsEventSource : IEventSource
{
    // Index: pk_participants, pk_conversations.
    private const string SettingsSql =
        $"""
        SELECT p.conversation_id, p.user_id, {SettingsView.Columns}
        FROM unnest(@OwnConversations::uuid[], @Owners::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND p.left_at IS NULL
        JOIN conversations c ON c.id = k.conversation_id
        """;

    public IReadOnlyCollection<string> Types { get; } = [SettingsUpdated.Name];

    public Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader)
    {
        var own = rows.Select(row => (row.ConversationId!.Value, row.UserId!)).Distinct().ToList();
        return new(
            SettingsSql,
            new { OwnConversations = own.Select(one => one.Item1).ToArray(), Owners = own.Select(one => one.Item2).ToArray() },
            async grid =>
            {
                var settings = (await grid.ReadAsync<Row>()).ToDictionary(row => (row.ConversationId, row.UserId), row => row.ToView());
                return row => settings.GetValueOrDefault((row.ConversationId!.Value, row.UserId!));
            });
    }

    private sealed record Row(
        Guid ConversationId, string UserId, bool OwnArchived, bool Starred, Instant? MutedUntil, bool ShowReadReceipts, JsonText? Settings,
        long ClearedSeq, bool Hidden)
    {
        public SettingsView ToView() => SettingsView.Of(OwnArchived, Starred, MutedUntil, ShowReadReceipts, Settings, ClearedSeq, Hidden);
    }
}
