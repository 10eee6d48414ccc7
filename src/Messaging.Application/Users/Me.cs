using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Users;

/// <summary>One's own profile, with the limits and policies in force.</summary>
public sealed class Me(UserProfile profile, Limits limits, PolicySettings policies)
{
    public UserId UserId => profile.UserId;

    public string? DisplayName => profile.DisplayName;

    public string? FirstName => profile.FirstName;

    public string? LastName => profile.LastName;

    public string? Username => profile.Username;

    public string? AvatarUrl => profile.AvatarUrl;

    public JsonText? Metadata => profile.Metadata;

    public Instant CreatedAt => profile.CreatedAt;

    public Instant UpdatedAt => profile.UpdatedAt;

    public Limits Limits => limits;

    public PoliciesView Policies => new(policies.DirectMessages, policies.With(stored: null));
}

/// <summary>What is configured for everybody.</summary>
/// <param name="DirectMessages">Whom one may write to.</param>
/// <param name="Conversations">What holds in a conversation that has no rules of its own, and in direct ones.</param>
public sealed record PoliciesView(DirectMessages DirectMessages, ConversationPolicy Conversations);
