using Messaging.Application.Common;
using Messaging.Application.Conversations;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>The caller's own settings for a conversation.</summary>
/// <param name="Archived">Archived by the viewer; the next message brings it back, unless it is muted.</param>
/// <param name="MutedUntil">Null when not muted; the end of the year 9999 means forever.</param>
/// <param name="CustomLabel">The user's own label for the conversation.</param>
/// <param name="ShowReadReceipts">Whether others see how far the user has read.</param>
/// <param name="Draft">The text of an unsent message.</param>
/// <param name="ClearedSeq">Messages up to this seq are not visible: sent before the viewer joined, or cleared.</param>
/// <param name="Hidden">Removed from the inbox; the next message brings it back.</param>
public sealed record SettingsView(
    bool Archived,
    bool Starred,
    Instant? MutedUntil,
    NotificationLevel NotificationLevel,
    ColorTag? ColorTag,
    string? CustomLabel,
    bool ShowReadReceipts,
    bool Desktop,
    bool Mobile,
    bool Sound,
    string? Draft,
    long ClearedSeq,
    bool Hidden)
{
    /// <summary>What it is made of, of a participant <c>p</c> in <c>c</c>.</summary>
    public const string Columns =
        $"""
        {OwnStateSql.Archived} AS own_archived, p.starred_at IS NOT NULL AS starred, {OwnStateSql.MutedUntil} AS muted_until,
            p.show_read_receipts, p.settings, p.cleared_seq, NOT {OwnStateSql.InInbox} AS hidden
        """;

    public static SettingsView Of(ConversationView conversation)
    {
        var me = conversation.Me!;
        return new SettingsView(
            me.Archived, me.Starred, me.MutedUntil, me.NotificationLevel, me.ColorTag, me.CustomLabel, me.ShowReadReceipts, me.Desktop,
            me.Mobile,
            me.Sound, me.Draft, me.ClearedSeq, me.Hidden);
    }

    public static SettingsView Of(
        bool archived, bool starred, Instant? mutedUntil, bool showReadReceipts, JsonText? settings, long clearedSeq, bool hidden)
    {
        var own = MessagingJson.Read<Preferences>(settings) ?? new Preferences();
        return new SettingsView(
            archived, starred, mutedUntil, own.NotificationLevel ?? NotificationLevel.All, own.ColorTag, own.CustomLabel, showReadReceipts,
            own.Desktop ?? true, own.Mobile ?? true, own.Sound ?? true, own.Draft, clearedSeq, hidden);
    }
}
