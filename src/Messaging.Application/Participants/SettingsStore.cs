using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>One's own state of a conversation, and telling one's own devices of it.</summary>
public sealed class SettingsStore(ConversationViewStore views, Outbox outbox)
{
    /// <summary>The settings as they are now, told to one's own devices; with what is unread where that may count otherwise now.</summary>
    public async Task<SettingsView> AnnounceAsync(ConversationId id, Actor actor, bool recounts, CancellationToken ct)
    {
        var user = actor.RequireUser();
        var conversation = await views.FindAsync(id, actor, ct) ?? throw CommonErrors.NotFound();
        var settings = SettingsView.Of(conversation);
        await outbox.AppendOwnAsync(new SettingsUpdated(id, user), data: null, ct);
        if (recounts)
            await outbox.AppendOwnAsync(new UnreadChanged(id, user), null, ct);
        return settings;
    }
}

/// <summary>One's own settings of a conversation.</summary>
/// <param name="Archived">By oneself; the next message brings it back, unless it is muted.</param>
/// <param name="MutedUntil">Null when not muted; the end of 9999 for ever.</param>
/// <param name="CustomLabel">What one calls it oneself.</param>
/// <param name="ShowReadReceipts">Whether others learn how far one has read.</param>
/// <param name="Draft">What one has begun to write.</param>
/// <param name="ClearedSeq">Messages up to this seq are not one's to see: said before one joined, or cleared.</param>
/// <param name="Hidden">Taken out of one's inbox; the next message brings it back.</param>
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
    public static SettingsView Of(ConversationView conversation)
    {
        var me = conversation.Me!;
        return new SettingsView(
            me.Archived, me.Starred, me.MutedUntil, me.NotificationLevel, me.ColorTag, me.CustomLabel, me.ShowReadReceipts, me.Desktop, me.Mobile,
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
