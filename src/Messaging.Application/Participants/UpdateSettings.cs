using System.Text.Json;
using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>Patches one's own settings of a conversation (RFC 7396): what is absent stays, null goes back to the default.</summary>
public sealed record UpdateSettings(Actor Actor, ConversationId ConversationId, SettingsChange Change) : ICommand<SettingsView>;

/// <summary>The caller's own settings: absent keeps, null returns to the default.</summary>
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

    /// <summary>Whether others see how far the user has read.</summary>
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
            .OverridePropertyName(nameof(SettingsChange.CustomLabel)).WithMessage("A label has 1 to 100 characters; null removes it.");
        RuleFor(c => c.Change.Draft.Value).Must(draft => draft is null || StrictText.Length(draft) <= DraftLength)
            .OverridePropertyName(nameof(SettingsChange.Draft)).WithMessage("A draft has at most 10,000 characters.");
    }
}

public sealed class UpdateSettingsHandler(ChangeRunner changes, ConversationViewStore views) : IRequestHandler<UpdateSettings, SettingsView>
{
    private static readonly JsonSerializerOptions Given =
        new(MessagingJson.Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault };

    public async Task<SettingsView> Handle(UpdateSettings command, CancellationToken ct)
    {
        await changes.RunAsync(command.Actor, new PatchChange(command), ct);
        return SettingsView.Of(await views.FindAsync(command.ConversationId, command.Actor, ct) ?? throw CommonErrors.NotFound());
    }

    private sealed class PatchChange(UpdateSettings command) : OwnChange(
        command.ConversationId, command.Actor.RequireUser(), recounts: command.Change.Archived.IsGiven || command.Change.MutedUntil.IsGiven)
    {
        private readonly SettingsChange change = command.Change;

        public override int Size => change.Draft.Value?.Length ?? 0;

        protected override OwnState Apply(OwnState state, Conversation conversation, ChangeSet set)
        {
            if (change.Archived.IsGiven)
                state = state.Archive(change.Archived.Value ?? false, conversation.LastSeq);
            if (change.Starred.IsGiven)
                state = state.Star(change.Starred.Value ?? false, set.Now);
            return state with
            {
                MutedUntil = change.MutedUntil.IsGiven ? change.MutedUntil.Value : state.MutedUntil,
                ShowsReads = change.ShowReadReceipts.IsGiven ? change.ShowReadReceipts.Value ?? true : state.ShowsReads,
                Preferences = Patch(state.Preferences),
            };
        }

        private string? Patch(string? preferences)
        {
            var patch = JsonSerializer.Serialize(
                new { change.NotificationLevel, change.ColorTag, change.CustomLabel, change.Desktop, change.Mobile, change.Sound,
                    change.Draft },
                Given);
            var merged = JsonMerge.Apply(preferences is null ? null : new JsonText(preferences), new JsonText(patch))!.Value.Value;
            return merged == "{}" ? null : merged;
        }
    }
}
