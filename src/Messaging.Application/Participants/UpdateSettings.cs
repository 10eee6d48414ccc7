using System.Text.Json;
using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>Patches one's own settings of a conversation (RFC 7396): what is absent stays, null goes back to the default.</summary>
public sealed record UpdateSettings(Actor Actor, ConversationId ConversationId, SettingsChange Change) : ICommand<SettingsView>;

/// <summary>One's own settings; what is absent stays, null goes back to the default.</summary>
public sealed record SettingsChange
{
    /// <summary>Out of the inbox until the next message; while muted until brought back by hand.</summary>
    public Optional<bool?> Archived { get; init; }

    public Optional<bool?> Starred { get; init; }

    /// <summary>Ends by itself; <c>9999-12-31T23:59:59Z</c> for ever.</summary>
    public Optional<Instant?> MutedUntil { get; init; }

    public Optional<NotificationLevel?> NotificationLevel { get; init; }

    public Optional<ColorTag?> ColorTag { get; init; }

    /// <summary>At most 100 characters.</summary>
    public Optional<string> CustomLabel { get; init; }

    /// <summary>Whether others learn how far one has read.</summary>
    public Optional<bool?> ShowReadReceipts { get; init; }

    public Optional<bool?> Desktop { get; init; }

    public Optional<bool?> Mobile { get; init; }

    public Optional<bool?> Sound { get; init; }

    /// <summary>At most 10,000 characters.</summary>
    public Optional<string> Draft { get; init; }
}

public sealed class UpdateSettingsValidator : AbstractValidator<UpdateSettings>
{
    private const int DraftLength = 10_000;

    public UpdateSettingsValidator()
    {
        RuleFor(c => c.Change.CustomLabel.Value).Must(label => label is null || StrictText.Length(label) is >= 1 and <= 100)
            .OverridePropertyName(nameof(SettingsChange.CustomLabel)).WithMessage("A label has 1 to 100 characters; null takes it away.");
        RuleFor(c => c.Change.Draft.Value).Must(draft => draft is null || StrictText.Length(draft) <= DraftLength)
            .OverridePropertyName(nameof(SettingsChange.Draft)).WithMessage("A draft has at most 10,000 characters.");
    }
}

public sealed class UpdateSettingsHandler(DbSession session, SettingsStore settings) : IRequestHandler<UpdateSettings, SettingsView>
{
    // Locks one's own participants row only, never the conversation: of two patches at once neither is lost.
    private const string UpdateSql =
        """
        UPDATE participants p
        SET archived_seq = CASE WHEN @SetsArchived THEN CASE WHEN @Archived THEN c.last_seq END ELSE p.archived_seq END,
            starred_at = CASE WHEN @SetsStarred THEN CASE WHEN @Starred THEN coalesce(p.starred_at, now()) END ELSE p.starred_at END,
            muted_until = CASE WHEN @SetsMuted THEN @MutedUntil ELSE p.muted_until END,
            show_read_receipts = coalesce(@ShowReadReceipts, p.show_read_receipts),
            settings = nullif(jsonb_strip_nulls(coalesce(p.settings, '{}') || @Preferences::jsonb), '{}')
        FROM conversations c
        WHERE c.id = @ConversationId AND p.conversation_id = @ConversationId AND p.user_id = @UserId AND p.left_at IS NULL
        """;

    private static readonly JsonSerializerOptions Given =
        new(MessagingJson.Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault };

    public async Task<SettingsView> Handle(UpdateSettings command, CancellationToken ct)
    {
        var change = command.Change;
        var updated = await session.ExecuteAsync(
            UpdateSql,
            new
            {
                ConversationId = command.ConversationId.Value,
                UserId = command.Actor.RequireUser().Value,
                SetsArchived = change.Archived.IsGiven,
                Archived = change.Archived.Value ?? false,
                SetsStarred = change.Starred.IsGiven,
                Starred = change.Starred.Value ?? false,
                SetsMuted = change.MutedUntil.IsGiven,
                MutedUntil = change.MutedUntil.Value,
                ShowReadReceipts = change.ShowReadReceipts.IsGiven ? change.ShowReadReceipts.Value ?? true : (bool?)null,
                Preferences = JsonSerializer.Serialize(
                    new
                    {
                        change.NotificationLevel,
                        change.ColorTag,
                        change.CustomLabel,
                        change.Desktop,
                        change.Mobile,
                        change.Sound,
                        change.Draft,
                    },
                    Given),
            },
            ct);
        if (updated == 0)
            throw CommonErrors.NotFound();
        return await settings.AnnounceAsync(
            command.ConversationId, command.Actor, recounts: change.Archived.IsGiven || change.MutedUntil.IsGiven, ct);
    }
}
