using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
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
    DbSession session, ConversationStore conversations, ConversationViewStore views, MessageSender messages, PairStore pairs, Outbox outbox,
    PolicySettings policies, IClock clock)
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
        if (opener == command.UserId)
            throw ConversationErrors.WithOneself();
        var key = Conversation.DirectKey(opener, command.UserId, command.Context);

        var found = await session.QuerySingleOrDefaultAsync<Guid?>(FindSql, new { Key = key }, ct);
        var made = found is null ? await CreateAsync(command, key, opener, ct) : null;
        var id = made ?? new ConversationId(found ?? await session.QuerySingleAsync<Guid>(FindSql, new { Key = key }, ct));

        if (made is not null)
        {
            var view = (await views.FindAsync(id, command.Actor, ct))!;
            await outbox.AppendAsync(new ConversationCreated(id), view with { Me = null }, ct);
        }
        if (command.Message is not null)
            await messages.SendMemberAsync(command.Actor, id, command.Message, "message", ct);
        return new OpenedDirect(await views.FindAsync(id, command.Actor, ct) ?? throw CommonErrors.NotFound(), made is not null);
    }

    // Whether the two may write to each other is decided under the pair's lock; those who do already go on.
    private async Task<ConversationId?> CreateAsync(OpenDirect command, string key, UserId opener, CancellationToken ct)
    {
        await conversations.EnsureKnownAsync([command.UserId], _ => "#/userId", ct);
        var standing = await pairs.LockAsync(opener, command.UserId, ct);
        if (standing.Blocked)
            throw ContactErrors.Blocked("#/userId");
        if (policies.DirectMessages is DirectMessages.Contacts && !standing.Contacts)
            throw ContactErrors.NotAContact();
        var asks = policies.DirectMessages is DirectMessages.Requests && !standing.Contacts;

        var conversation = Conversation.OpenDirect(
            opener, command.UserId, command.Context, asks ? RequestState.Unsent : null, clock.GetCurrentInstant());

        if (await session.ExecuteAsync(ClaimSql, new { Key = key, ConversationId = conversation.Id.Value }, ct) == 0)
            return null;
        await conversations.AddAsync(conversation, [opener, command.UserId], ct);
        return conversation.Id;
    }
}
