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

/// <summary>
/// The one direct conversation with a user, per context: found, and then written to as any other, or made with its first message in the
/// same transaction.
/// </summary>
/// <param name="BeforeMaking">Called when none was found that it may be made; throws what speaks against it.</param>
public sealed record OpenDirect(
    Actor Actor, UserId UserId, ConversationContext? Context, MessageContent? Message, Action? BeforeMaking = null)
    : ICommand<Upserted<ConversationView>>;

public sealed class OpenDirectValidator : AbstractValidator<OpenDirect>
{
    public OpenDirectValidator(IValidator<MessageContent> message)
    {
        RuleFor(c => c.Context).ValidContext();
        RuleFor(c => c.Message!).SetValidator(message).When(c => c.Message is not null);
    }
}

public sealed class OpenDirectHandler(
    DbSession session, ConversationStore conversations, ConversationViewStore views, MessageSender messages, PairStore pairs,
    ChangeRunner changes, PolicySettings policies, IClock clock) : IRequestHandler<OpenDirect, Upserted<ConversationView>>
{
    // Index: pk_direct_keys.
    private const string FindSql =
        """
        SELECT conversation_id
        FROM direct_keys
        WHERE direct_key = @Key
        """;

    private const string ClaimSql =
        """
        INSERT INTO direct_keys (direct_key, conversation_id)
        VALUES (@Key, @ConversationId)
        """;

    public async Task<Upserted<ConversationView>> Handle(OpenDirect command, CancellationToken ct)
    {
        var opener = command.Actor.RequireUser();
        if (opener == command.UserId)
            throw ConversationErrors.WithOneself();
        var key = NewConversation.DirectKey(opener, command.UserId, command.Context);

        if (await FindAsync(key, ct) is { } found && await UseAsync(command, key, found, ct) is { } view)
            return new Upserted<ConversationView>(view, Created: false);
        var pair = NewConversation.DirectKey(opener, command.UserId, context: null);
        return await pairs.TransactAsync(pair, () => MakeAsync(command, key, opener, ct), ct);
    }

    // Null where it was deleted before anything was said in it: it is not there, as if it had never been. What was said is not said again.
    private async Task<ConversationView?> UseAsync(OpenDirect command, string key, ConversationId id, CancellationToken ct)
    {
        if (command.Message is null)
            return await views.FindAsync(id, command.Actor, ct);
        try
        {
            await SendAsync(command, id, ct);
        }
        catch (RuleException refusal) when (refusal.Problem.Code == ProblemCodes.NotFound)
        {
            // Anything else was asked for in vain.
            if (await FindAsync(key, ct) == id)
                throw;
            return null;
        }
        return await ViewAsync(command, id, ct);
    }

    private async Task<Upserted<ConversationView>> MakeAsync(OpenDirect command, string key, UserId opener, CancellationToken ct)
    {
        var (id, created) = await CreateAsync(command, key, opener, ct);
        await SendAsync(command, id, ct);
        return new Upserted<ConversationView>(await ViewAsync(command, id, ct), created);
    }

    private Task SendAsync(OpenDirect command, ConversationId id, CancellationToken ct) => command.Message is { } message
        ? messages.SendMemberAsync(command.Actor, id, message, "message", ct)
        : Task.CompletedTask;

    private async Task<ConversationView> ViewAsync(OpenDirect command, ConversationId id, CancellationToken ct) =>
        await views.FindAsync(id, command.Actor, ct) ?? throw CommonErrors.NotFound();

    // Under the pair's lock one opening comes after the other, and none in the middle of a block or an answer. Where another one has just
    // opened it, those who may write to each other already go on.
    private async Task<(ConversationId Id, bool Created)> CreateAsync(OpenDirect command, string key, UserId opener, CancellationToken ct)
    {
        await conversations.EnsureKnownAsync([command.UserId], _ => "userId", ct);
        var pair = await pairs.LockAsync(opener, command.UserId, ct);
        if (await FindAsync(key, ct) is { } found)
            return (found, false);
        pair.EnsureNotBlocked("userId");
        await pairs.EnsureRoomAsync(pair, ct);

        var conversation = NewConversation.Direct(
            opener, command.UserId, command.Context, pair.Asks(policies.DirectMessages) ? RequestState.Unsent : null,
            clock.GetCurrentInstant());
        command.BeforeMaking?.Invoke();

        await session.ExecuteAsync(ClaimSql, new { Key = key, ConversationId = conversation.Id.Value }, ct);
        await conversations.AddAsync(conversation, ct);
        // Who is yet to be asked does not hear of it before.
        await changes.RunAsync(command.Actor, new FoundingChange(conversation.Id, conversation.Request is null ? null : opener), ct);
        return (conversation.Id, true);
    }

    private async Task<ConversationId?> FindAsync(string key, CancellationToken ct) =>
        await session.QuerySingleOrDefaultAsync<ConversationId?>(FindSql, new { Key = key }, ct);
}
