using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;

namespace Messaging.Application.Receipts;

/// <summary>Moves one's read pointer forward, and the delivered one with it.</summary>
/// <param name="Seq">The newest seq that was read; the conversation's newest when absent. What lies beyond that means the newest.</param>
public sealed record MarkRead(Actor Actor, ConversationId ConversationId, long? Seq) : ICommand<PointerState>;

public sealed class MarkReadValidator : AbstractValidator<MarkRead>
{
    public MarkReadValidator() =>
        RuleFor(c => c.Seq).GreaterThanOrEqualTo(0).WithMessage("A seq is 0 or more.");
}

public sealed class MarkReadHandler(ConversationWriter writer) : IRequestHandler<MarkRead, PointerState>
{
    public Task<PointerState> Handle(MarkRead command, CancellationToken ct) =>
        writer.RunAsync(new PointerChange(command.ConversationId, command.Actor.RequireUser(), reads: true, command.Seq), ct);
}
