using System.Data.Common;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Conversations;

/// <summary>
/// Patches what a group says of itself and its rules (RFC 7396): what is absent stays, null clears, a cleared slug is made anew.
/// Of a direct conversation the metadata alone, by the service.
/// </summary>
/// <param name="Versions">Those of which the conversation must have one; any when null.</param>
public sealed record UpdateConversation(
    Actor Actor,
    ConversationId ConversationId,
    IReadOnlyList<long>? Versions,
    Optional<string> Name,
    Optional<string> Description,
    Optional<string> AvatarUrl,
    Optional<string> Slug,
    Optional<JsonText?> Metadata,
    Optional<PolicyChange> Policy) : ICommand<ConversationView>
{
    public bool IsOfGroup => Name.IsGiven || Description.IsGiven || AvatarUrl.IsGiven || Slug.IsGiven || Policy.IsGiven;

    public bool IsEmpty => !IsOfGroup && !Metadata.IsGiven;
}

public sealed class UpdateConversationValidator : AbstractValidator<UpdateConversation>
{
    public UpdateConversationValidator(IValidator<PolicyChange> policy)
    {
        RuleFor(c => c.Name).Must(name => !name.IsGiven || GroupRules.IsName(name.Value)).WithMessage(GroupRules.NameExpected);
        RuleFor(c => c.Description.Value).Must(GroupRules.IsDescription).OverridePropertyName(nameof(UpdateConversation.Description))
            .WithMessage(GroupRules.DescriptionExpected);
        RuleFor(c => c.AvatarUrl.Value).Must(WebAddress.IsValidOrNull).OverridePropertyName(nameof(UpdateConversation.AvatarUrl))
            .WithMessage(WebAddress.Expected);
        RuleFor(c => c.Slug.Value).Must(GroupRules.IsSlug).OverridePropertyName(nameof(UpdateConversation.Slug))
            .WithMessage(GroupRules.SlugExpected);
        RuleFor(c => c.Policy.Value!).SetValidator(policy).When(c => c.Policy.Value is not null)
            .OverridePropertyName(nameof(UpdateConversation.Policy));
    }
}

public sealed class UpdateConversationHandler(ChangeRunner changes, ConversationViewStore views, LimitSettings limits)
    : IRequestHandler<UpdateConversation, ConversationView>
{
    public async Task<ConversationView> Handle(UpdateConversation command, CancellationToken ct)
    {
        try
        {
            await changes.RunAsync(command.Actor, new UpdateChange(command, limits), ct);
        }
        catch (DbException e) when (e.Violates("pk_slugs"))
        {
            throw ConversationErrors.SlugTaken(command.Slug.Value!);
        }
        return await views.GetChangedAsync(command.ConversationId, command.Actor, ct);
    }

    private sealed class UpdateChange(UpdateConversation command, LimitSettings limits)
        : ConversationChange<Done>(command.Actor, command.ConversationId)
    {
        // What others do in its batch would be decided by the rules before; and a slug that is in use would fail them too.
        public override bool GoesAlone => true;

        internal override void Require(ChangeSet set)
        {
            base.Require(set);
            set.Profiles.Require(ConversationId);
        }

        protected override Done DecideOn(ChangeSet set)
        {
            var (conversation, place) = set.Get(ConversationId, Actor);
            CommonErrors.EnsureVersion(command.Versions, conversation.Version);
            conversation.EnsureMayChange(place?.Participant, command.IsOfGroup);
            if (command.IsEmpty)
                return default;

            var before = set.Profiles.Of(ConversationId);
            var after = Apply(before);
            conversation.Change();
            set.Profiles.Save(ConversationId, after);
            if (after.Name != before.Name)
                set.PostSystemMessage(conversation, new SystemMessage("name-changed", Actor.UserId, Name: after.Name));
            set.Raise(conversation, new ConversationUpdated(ConversationId));
            return default;
        }

        private Profile Apply(Profile before)
        {
            var after = new Profile(
                command.Name.Or(before.Name),
                command.Description.Or(before.Description),
                command.AvatarUrl.Or(before.AvatarUrl),
                command.Slug.Or(before.Slug),
                command.Metadata.IsGiven
                    ? MetadataRules.Patch(Json(before.Metadata), command.Metadata.Value, limits)?.Value
                    : before.Metadata,
                command.Policy.IsGiven ? command.Policy.Value?.AppliedTo(Json(before.Policy))?.Value : before.Policy);
            return command.Slug.IsGiven ? after.WithSlug(ConversationId) : after;

            static JsonText? Json(string? text) => text is null ? null : new JsonText(text);
        }
    }
}
