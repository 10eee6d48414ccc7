using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;

namespace Messaging.Application.Receipts;

/// <summary>Moves one's delivered pointer forward.</summary>
/// <param name="Seq">The newest seq that was received; the conversation's newest when absent. What lies beyond that means the
/// newest.</param>
public sealed record MarkDelivered(Actor Actor, ConversationId ConversationId, long? Seq) : ICommand<PointerState>;

public sealed class MarkDeliveredValidator : AbstractValidator<MarkDelivered>
{
    public MarkDeliveredValidator() =>
        RuleFor(c => c.Seq).GreaterThanOrEqualTo(0).WithMessage("A seq is 0 or more.");
}

public sealed class MarkDeliveredHandler(ConversationWriter writer) : IRequestHandler<MarkDelivered, PointerState>
{
    public Task<PointerState> Handle(MarkDelivered command, CancellationToken ct) =>
        writer.RunAsync(new PointerChange(command.ConversationId, command.Actor.RequireUser(), reads: false, command.Seq), ct);
}
