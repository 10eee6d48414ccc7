using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>Ends a conversation: it can be read, and nothing can be sent until it is reopened.</summary>
/// <param name="Note">At most 1,000 characters.</param>
/// <param name="QuietSince">Closes only what nothing was said in since then.</param>
public sealed record CloseConversation(
    Actor Actor, ConversationId ConversationId, CloseReason Reason, string? Note, Instant? QuietSince = null) : ICommand<ConversationView>;

public sealed class CloseConversationValidator : AbstractValidator<CloseConversation>
{
    public CloseConversationValidator() =>
        RuleFor(c => c.Note).Must(note => note is null || StrictText.Length(note) <= 1000).WithMessage("A note has at most 1,000 characters.");
}

public sealed class CloseConversationHandler(
    DbSession session, ConversationStore conversations, ConversationViewStore views, MessageSender messages, Announcer announcer, IClock clock)
    : IRequestHandler<CloseConversation, ConversationView>
{
    // Under the conversation's lock.
    private const string CloseSql =
        """
        UPDATE conversations
        SET closed_at = @Now, closed_by = @UserId, closed_reason = @Reason, closed_note = @Note, version = @Version, updated_at = @Now
        WHERE id = @ConversationId
        """;

    public async Task<ConversationView> Handle(CloseConversation command, CancellationToken ct)
    {
        var (id, by, reason) = (command.ConversationId, command.Actor.UserId, command.Reason.ToString().ToLowerInvariant());
        var (conversation, actor) = await conversations.GetForUpdateAsync(id, command.Actor, ct);
        if (command.QuietSince is { } since && (await views.FindAsync(id, command.Actor, ct)) is { } view && view.LastActivityAt >= since)
            return view;

        // The last thing that is said before nothing can be said any more.
        await messages.NoteAsync(conversation, new SystemNote("conversation-closed", by, Reason: reason), ct);
        conversation.Close(actor);

        await session.ExecuteAsync(
            CloseSql,
            new
            {
                ConversationId = id.Value,
                UserId = by?.Value,
                Reason = reason,
                command.Note,
                conversation.Version,
                Now = clock.GetCurrentInstant(),
            },
            ct);

        await announcer.ConversationAsync(new ConversationClosed(id), ct);
        return (await views.FindAsync(id, command.Actor, ct))!;
    }
}
