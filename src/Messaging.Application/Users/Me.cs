using System.Text.Json.Serialization;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Notifications;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Users;

/// <summary>The caller's own profile, with the limits and policies in force.</summary>
public sealed class Me(UserProfile profile, OwnPreferences preferences, Limits limits, PolicySettings policies)
{
    public UserId UserId => profile.UserId;

    public string? DisplayName => profile.DisplayName;

    public string? FirstName => profile.FirstName;

    public string? LastName => profile.LastName;

    public string? Username => profile.Username;

    public string? AvatarUrl => profile.AvatarUrl;

    public JsonText? Metadata => profile.Metadata;

    /// <summary>Of the words of notifications: a language tag such as <c>de</c> or <c>pt-BR</c>; null for the service's default.</summary>
    public string? Language => preferences.Language;

    /// <summary>When nothing is pushed; absent for never.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public QuietHoursView? QuietHours => preferences.ReadQuietHours();

    public Instant CreatedAt => profile.CreatedAt;

    public Instant UpdatedAt => profile.UpdatedAt;

    public Limits Limits => limits;

    public PoliciesView Policies => new(policies.DirectMessages, policies.With(stored: null));
}

/// <summary>Bounds that an operator may change; <c>Messaging__Limits__*</c>.</summary>
public sealed class Limits(LimitSettings settings)
{
    /// <summary>Participants of a group, its owner included.</summary>
    public int GroupSize { get; } = settings.GroupSize;

    /// <summary>Code points of a message's text.</summary>
    public int TextLength { get; } = settings.TextLength;

    public int AttachmentsPerMessage { get; } = settings.AttachmentsPerMessage;

    /// <summary>Bytes of an image that is uploaded.</summary>
    public long ImageBytes { get; } = settings.ImageBytes;

    /// <summary>Bytes of any other file.</summary>
    public long FileBytes { get; } = settings.FileBytes;

    /// <summary>UTF-8 bytes of a metadata object as it is stored.</summary>
    public int MetadataBytes { get; } = settings.MetadataBytes;
}

/// <summary>What is configured for everybody.</summary>
/// <param name="DirectMessages">Whom one may write to.</param>
/// <param name="Conversations">The default policy of groups, and the policy of direct conversations.</param>
public sealed record PoliciesView(DirectMessages DirectMessages, ConversationPolicy Conversations);
