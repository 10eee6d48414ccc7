using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>The one direct conversation with a user, per context: found, or made with its first message in the same transaction.</summary>
public sealed record OpenDirect(Actor Actor, UserId UserId, ConversationContext? Context, MessageContent? Message) : ICommand<OpenedDirect>;

/// <summary>The conversation as the opener sees it.</summary>
/// <param name="Created">Whether it was made by this call.</param>
public sealed record OpenedDirect(ConversationView Conversation, bool Created);

public sealed class OpenDirectValidator : AbstractValidator<OpenDirect>
{
    public OpenDirectValidator(IValidator<MessageContent> message)
    {
        RuleFor(c => c.Context).ValidContext();
        RuleFor(c => c.Message!).SetValidator(message).When(c => c.Message is not null);
    }
}

public sealed class OpenDirectHandler(
    DbSession session, ConversationStore conversations, ConversationViewStore views, MessageSender messages, Outbox outbox, IClock clock)
    : IRequestHandler<OpenDirect, OpenedDirect>
{
    // Index: pk_direct_keys.
    private const string FindSql =
        """
        SELECT conversation_id
        FROM direct_keys
        WHERE direct_key = @Key
        """;

    // Two openings at once: the second waits here for the first to commit, inserts nothing, and finds the first's.
    private const string ClaimSql =
        """
        INSERT INTO direct_keys (direct_key, conversation_id)
        VALUES (@Key, @ConversationId)
        ON CONFLICT (direct_key) DO NOTHING
        """;

    public async Task<OpenedDirect> Handle(OpenDirect command, CancellationToken ct)
    {
        var opener = command.Actor.RequireUser();
        var conversation = Conversation.OpenDirect(opener, command.UserId, command.Context, request: null, clock.GetCurrentInstant());
        var key = Conversation.DirectKey(opener, command.UserId, command.Context);

        var found = await session.QuerySingleOrDefaultAsync<Guid?>(FindSql, new { Key = key }, ct);
        var created = found is null && await CreateAsync(conversation, key, opener, command.UserId, ct);
        var id = created
            ? conversation.Id
            : new ConversationId(found ?? await session.QuerySingleAsync<Guid>(FindSql, new { Key = key }, ct));

        if (created)
        {
            var view = (await views.FindAsync(id, command.Actor, ct))!;
            await outbox.AppendAsync(new ConversationCreated(id), view with { Me = null }, ct);
        }
        if (command.Message is not null)
            await messages.SendMemberAsync(command.Actor, id, command.Message, "message", ct);
        return new OpenedDirect(await views.FindAsync(id, command.Actor, ct) ?? throw CommonErrors.NotFound(), created);
    }

    private async Task<bool> CreateAsync(Conversation conversation, string key, UserId opener, UserId other, CancellationToken ct)
    {
        await conversations.EnsureKnownAsync([other], _ => "#/userId", ct);
        if (await session.ExecuteAsync(ClaimSql, new { Key = key, ConversationId = conversation.Id.Value }, ct) == 0)
            return false;
        await conversations.AddAsync(conversation, [opener, other], ct);
        return true;
    }
}
