using System.Text.Json;
using System.Text.Json.Serialization;
using FluentValidation;
using Messaging.Application.Common;
using Messaging.Application.Reactions;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Conversations;

/// <summary>What holds where a conversation has no rule of its own; <c>Messaging__Policies__*</c>.</summary>
public sealed class PolicySettings : ISettings
{
    public static string Section => "Messaging:Policies";

    private ConversationPolicy? configured;

    public DirectMessages DirectMessages { get; init; }

    /// <summary>For how many days somebody is not asked again by whom they have declined; 0 for not at all.</summary>
    public int DeclineDays { get; init; } = 30;

    public AllowedTo Posting { get; init; } = AllowedTo.Everyone;

    public AllowedTo Adding { get; init; } = AllowedTo.Admins;

    public AllowedTo Pinning { get; init; } = AllowedTo.Admins;

    public HistoryAccess History { get; init; } = HistoryAccess.Full;

    public int SlowModeSeconds { get; init; }

    public int? EditWindowSeconds { get; init; }

    public int? DeleteWindowSeconds { get; init; }

    public EditHistoryAccess EditHistory { get; init; } = EditHistoryAccess.Everyone;

    public ReactionSettings Reactions { get; init; } = new();

    public bool Receipts { get; init; } = true;

    public AllowedTo MentionAll { get; init; } = AllowedTo.Everyone;

    public int? RetentionDays { get; init; }

    public IEnumerable<string> Errors() => new PolicyChangeValidator().Validate(new PolicyChange
    {
        SlowModeSeconds = new(SlowModeSeconds),
        EditWindowSeconds = new(EditWindowSeconds),
        DeleteWindowSeconds = new(DeleteWindowSeconds),
        Reactions = new(new ReactionChange { Allowed = new(Reactions.Allowed) }),
        RetentionDays = new(RetentionDays),
    }).Errors.Select(failure => $"{NameOf(failure.PropertyName)}: {failure.ErrorMessage}")
        .Concat(DeclineDays is >= 0 and <= 3_650 ? [] : ["DeclineDays: Between 0 and 3650 days are expected."]);

    private static string NameOf(string property) =>
        string.Join("__", property.Split(['.', '[', ']'], StringSplitOptions.RemoveEmptyEntries));

    /// <summary>The rules in force, given a conversation's own as they are stored.</summary>
    public ConversationPolicy With(JsonText? stored) =>
        stored is null ? configured ??= With(new PolicyChange()) : With(MessagingJson.Read<PolicyChange>(stored)!);

    private ConversationPolicy With(PolicyChange own) => new(
        own.Posting.Value ?? Posting,
        own.Adding.Value ?? Adding,
        own.Pinning.Value ?? Pinning,
        own.History.Value ?? History,
        own.SlowModeSeconds.Value ?? SlowModeSeconds,
        own.EditWindowSeconds.Value ?? EditWindowSeconds,
        own.DeleteWindowSeconds.Value ?? DeleteWindowSeconds,
        own.EditHistory.Value ?? EditHistory,
        new ReactionPolicy(
            own.Reactions.Value?.Mode.Value ?? Reactions.Mode,
            (own.Reactions.Value?.Allowed.Value ?? Reactions.Allowed)?.Select(emoji => Emoji.Of(emoji) ?? emoji).Distinct().ToArray()),
        own.Receipts.Value ?? Receipts,
        own.MentionAll.Value ?? MentionAll,
        own.RetentionDays.Value ?? RetentionDays);
}

/// <summary><c>Messaging__Policies__Reactions__*</c>.</summary>
public sealed class ReactionSettings
{
    public ReactionMode Mode { get; init; } = ReactionMode.Many;

    public string[]? Allowed { get; init; }
}

/// <summary>A group's own policy settings: absent keeps, null returns to the configured default.</summary>
public sealed record PolicyChange
{
    /// <summary>Who may send.</summary>
    public Optional<AllowedTo?> Posting { get; init; }

    /// <summary>Who may add people.</summary>
    public Optional<AllowedTo?> Adding { get; init; }

    /// <summary>Who may pin.</summary>
    public Optional<AllowedTo?> Pinning { get; init; }

    /// <summary>What those who join from now on see of what was said before.</summary>
    public Optional<HistoryAccess?> History { get; init; }

    /// <summary>The minimum time between two messages of one member, up to a day; 0 for none.</summary>
    public Optional<int?> SlowModeSeconds { get; init; }

    /// <summary>How long an author may edit.</summary>
    public Optional<int?> EditWindowSeconds { get; init; }

    /// <summary>How long an author may delete for everyone.</summary>
    public Optional<int?> DeleteWindowSeconds { get; init; }

    /// <summary>Who may read earlier versions of a message.</summary>
    public Optional<EditHistoryAccess?> EditHistory { get; init; }

    public Optional<ReactionChange> Reactions { get; init; }

    /// <summary>Whether others learn who has read and received what.</summary>
    public Optional<bool?> Receipts { get; init; }

    /// <summary>Who may mention everyone with `@all`.</summary>
    public Optional<AllowedTo?> MentionAll { get; init; }

    /// <summary>Days after which messages should be removed; not applied yet.</summary>
    public Optional<int?> RetentionDays { get; init; }

    private static readonly JsonSerializerOptions Stored =
        new(MessagingJson.Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault };

    /// <summary>
    /// A conversation's own rules as they are to be stored, after this change of those that are; null where none is left.
    /// </summary>
    public JsonText? AppliedTo(JsonText? stored)
    {
        var before = MessagingJson.Read<PolicyChange>(stored) ?? new PolicyChange();
        var after = new PolicyChange
        {
            Posting = Merge(Posting, before.Posting),
            Adding = Merge(Adding, before.Adding),
            Pinning = Merge(Pinning, before.Pinning),
            History = Merge(History, before.History),
            SlowModeSeconds = Merge(SlowModeSeconds, before.SlowModeSeconds),
            EditWindowSeconds = Merge(EditWindowSeconds, before.EditWindowSeconds),
            DeleteWindowSeconds = Merge(DeleteWindowSeconds, before.DeleteWindowSeconds),
            EditHistory = Merge(EditHistory, before.EditHistory),
            Reactions = Merge(
                Reactions.Value is { } change ? new(change.AppliedTo(before.Reactions.Value)) : Reactions, before.Reactions),
            Receipts = Merge(Receipts, before.Receipts),
            MentionAll = Merge(MentionAll, before.MentionAll),
            RetentionDays = Merge(RetentionDays, before.RetentionDays),
        };
        var json = JsonSerializer.Serialize(after, Stored);
        return json == "{}" ? null : new JsonText(json);
    }

    /// <summary>What is left of a member after a merge patch: nothing where it was cleared.</summary>
    internal static Optional<T> Merge<T>(Optional<T> change, Optional<T> before) =>
        !change.IsGiven ? before : change.Value is null ? default : change;
}

/// <summary>Which reactions messages take.</summary>
public sealed record ReactionChange
{
    public Optional<ReactionMode?> Mode { get; init; }

    /// <summary>The only reactions that may be used, up to 100.</summary>
    public Optional<IReadOnlyList<string>> Allowed { get; init; }

    /// <summary>These rules after the change; null where none is left.</summary>
    public ReactionChange? AppliedTo(ReactionChange? before)
    {
        var after = new ReactionChange
        {
            Mode = PolicyChange.Merge(Mode, before?.Mode ?? default),
            Allowed = PolicyChange.Merge(Allowed, before?.Allowed ?? default),
        };
        return after is { Mode.IsGiven: false, Allowed.IsGiven: false } ? null : after;
    }
}

public sealed class PolicyChangeValidator : AbstractValidator<PolicyChange>
{
    private const int Year = 366 * 24 * 3600;

    public PolicyChangeValidator()
    {
        RuleFor(p => p.SlowModeSeconds.Value).InclusiveBetween(0, 24 * 3600).OverridePropertyName(nameof(PolicyChange.SlowModeSeconds))
            .WithMessage("Between 0 and 86400 seconds are expected.");
        RuleFor(p => p.EditWindowSeconds.Value).InclusiveBetween(0, Year).OverridePropertyName(nameof(PolicyChange.EditWindowSeconds))
            .WithMessage($"Between 0 and {Year} seconds are expected.");
        RuleFor(p => p.DeleteWindowSeconds.Value).InclusiveBetween(0, Year).OverridePropertyName(nameof(PolicyChange.DeleteWindowSeconds))
            .WithMessage($"Between 0 and {Year} seconds are expected.");
        RuleFor(p => p.RetentionDays.Value).InclusiveBetween(1, 36_500).OverridePropertyName(nameof(PolicyChange.RetentionDays))
            .WithMessage("Between 1 and 36500 days are expected.");
        RuleFor(p => p.Reactions.Value!.Allowed.Value).Must(allowed => allowed is null || allowed.Count is >= 1 and <= 100)
            .When(p => p.Reactions.Value is not null).OverridePropertyName("Reactions.Allowed")
            .WithMessage("Between 1 and 100 reactions are expected; the mode 'none' allows none.");
        RuleForEach(p => p.Reactions.Value!.Allowed.Value).Must(emoji => Emoji.Of(emoji) is not null)
            .When(p => p.Reactions.Value?.Allowed.Value is { Count: <= 100 }).OverridePropertyName("Reactions.Allowed")
            .WithMessage(EmojiRules.Expected);
    }
}
