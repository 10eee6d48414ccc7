using System.Data.Common;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

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
        RuleFor(c => c.Slug.Value).Must(GroupRules.IsSlug).OverridePropertyName(nameof(UpdateConversation.Slug)).WithMessage(GroupRules.SlugExpected);
        RuleFor(c => c.Policy.Value!).SetValidator(policy).When(c => c.Policy.Value is not null)
            .OverridePropertyName(nameof(UpdateConversation.Policy));
    }
}

public sealed class UpdateConversationHandler(
    DbSession session, ConversationStore conversations, ConversationViewStore views, MessageSender messages, Announcer announcer, Limits limits,
    IClock clock) : IRequestHandler<UpdateConversation, ConversationView>
{
    // Under the conversation's lock.
    private const string LoadSql =
        """
        SELECT name, description, avatar_url, slug, metadata, policy
        FROM conversations
        WHERE id = @Id
        """;

    // Under the conversation's lock. A slug that is in use clashes in pk_slugs.
    private const string SaveSql =
        """
        WITH freed AS (
            DELETE FROM slugs
            WHERE slug = @OldSlug AND conversation_id = @Id AND @Slug IS DISTINCT FROM @OldSlug
        ),
        taken AS (
            INSERT INTO slugs (slug, conversation_id)
            SELECT @Slug, @Id
            WHERE @Slug IS DISTINCT FROM @OldSlug
        )
        UPDATE conversations
        SET name = @Name, description = @Description, avatar_url = @AvatarUrl, slug = @Slug, metadata = @Metadata::jsonb,
            policy = @Policy::jsonb, version = @Version, updated_at = @Now
        WHERE id = @Id
        """;

    public async Task<ConversationView> Handle(UpdateConversation command, CancellationToken ct)
    {
        var id = command.ConversationId;
        var (conversation, actor) = await conversations.GetForUpdateAsync(id, command.Actor, ct);
        if (command.Versions?.Contains(conversation.Version) == false)
            throw CommonErrors.VersionMismatch();
        conversation.Change(actor, command.IsOfGroup);
        if (command.IsEmpty)
            return (await views.FindAsync(id, command.Actor, ct))!;

        var before = await session.QuerySingleAsync<Row>(LoadSql, new { Id = id.Value }, ct);
        var after = Apply(command, id, before);
        await SaveAsync(conversation, command, before, after, ct);

        if (after.Name != before.Name)
            await messages.NoteAsync(conversation, new SystemNote("name-changed", command.Actor.UserId, Name: after.Name), ct);
        await announcer.ConversationAsync(new ConversationUpdated(id), ct);
        return (await views.FindAsync(id, command.Actor, ct))!;
    }

    private Row Apply(UpdateConversation command, ConversationId id, Row before)
    {
        var metadata = command.Metadata.IsGiven ? MetadataRules.Patch(before.Metadata, command.Metadata.Value, limits) : before.Metadata;
        var name = command.Name.Or(before.Name);
        return new Row(
            name,
            command.Description.Or(before.Description),
            command.AvatarUrl.Or(before.AvatarUrl),
            command.Slug.IsGiven ? command.Slug.Value ?? Conversation.SlugOf(name!, id) : before.Slug,
            metadata,
            command.Policy.IsGiven ? command.Policy.Value?.Over(before.Policy) : before.Policy);
    }

    private async Task SaveAsync(Conversation conversation, UpdateConversation command, Row before, Row after, CancellationToken ct)
    {
        try
        {
            await session.ExecuteAsync(
                SaveSql,
                new
                {
                    Id = conversation.Id.Value,
                    OldSlug = before.Slug,
                    after.Name,
                    after.Description,
                    after.AvatarUrl,
                    after.Slug,
                    Metadata = after.Metadata?.Value,
                    Policy = after.Policy?.Value,
                    conversation.Version,
                    Now = clock.GetCurrentInstant(),
                },
                ct);
        }
        catch (DbException e) when (e.Violates("pk_slugs"))
        {
            throw ConversationErrors.SlugTaken(command.Slug.Value!);
        }
    }

    private sealed record Row(string? Name, string? Description, string? AvatarUrl, string? Slug, JsonText? Metadata, JsonText? Policy);
}
