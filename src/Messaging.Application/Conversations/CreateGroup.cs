using System.Data.Common;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>A new group; its creator is the owner. The service may make one without being in it.</summary>
/// <param name="ParticipantIds">The other members, each once; the creator may be among them.</param>
/// <param name="Slug">Unique, 3 to 100 of a-z, 0-9 and -; made from the name when absent.</param>
[OneTransaction("members are checked under locks before the group is written")]
public sealed record CreateGroup(
    Actor Actor, string Name, IReadOnlyList<UserId> ParticipantIds, string? Description, string? AvatarUrl, string? Slug,
    ConversationContext? Context, JsonText? Metadata, PolicyChange? Policy) : ITransactionCommand<ConversationView>;

public sealed class CreateGroupValidator : AbstractValidator<CreateGroup>
{
    public CreateGroupValidator(LimitSettings limits, IValidator<PolicyChange> policy)
    {
        RuleFor(c => c.Name).Must(GroupRules.IsName).WithMessage(GroupRules.NameExpected);
        RuleFor(c => c.Description).Must(GroupRules.IsDescription).WithMessage(GroupRules.DescriptionExpected);
        RuleFor(c => c.AvatarUrl).Must(WebAddress.IsValidOrNull).WithMessage(WebAddress.Expected);
        RuleFor(c => c.Slug).Must(GroupRules.IsSlug).WithMessage(GroupRules.SlugExpected);
        RuleFor(c => c.Metadata).IsMetadata(limits);
        RuleFor(c => c.Context).ValidContext();
        RuleFor(c => c.Policy!).SetValidator(policy).When(c => c.Policy is not null);
        RuleFor(c => c.ParticipantIds).Must(ids => ids.Distinct().Count() == ids.Count)
            .WithMessage("Each participant is named once.");
    }
}

public sealed class CreateGroupHandler(
    ConversationStore conversations, ConversationViewStore views, PairStore pairs, ChangeRunner changes, LimitSettings limits, IClock clock)
    : IRequestHandler<CreateGroup, ConversationView>
{
    public async Task<ConversationView> Handle(CreateGroup command, CancellationToken ct)
    {
        var others = command.ParticipantIds.Where(id => id != command.Actor.UserId).ToList();

        var conversation = NewConversation.Group(
            command.Actor,
            others,
            new Profile(
                command.Name, command.Description, command.AvatarUrl, command.Slug, command.Metadata?.Value,
                command.Policy?.AppliedTo(stored: null)?.Value),
            command.Context,
            limits.GroupSize,
            clock.GetCurrentInstant());
        await conversations.EnsureKnownAsync(command.ParticipantIds, i => $"participantIds/{i}", ct);
        await pairs.EnsureMayAddAsync(
            command.Actor, conversation.Id, others, conversation.CreatedAt,
            user => $"participantIds/{command.ParticipantIds.ToList().IndexOf(user)}", ct);

        try
        {
            await conversations.AddAsync(conversation, ct);
        }
        catch (DbException e) when (e.Violates("pk_slugs"))
        {
            throw ConversationErrors.SlugTaken(command.Slug!);
        }

        var note = new SystemMessage("conversation-created", command.Actor.UserId, Name: command.Name);
        await changes.RunAsync(Actor.Service, new FoundingChange(conversation.Id, note: note), ct);
        return (await views.FindAsync(conversation.Id, command.Actor, ct))!;
    }
}
