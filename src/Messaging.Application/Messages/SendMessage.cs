using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Messages;

/// <summary>Sends a message: stored once, next in its conversation's order, before it is answered.</summary>
public sealed record SendMessage(Actor Actor, ConversationId ConversationId, MessageContent Content) : ICommand<SentMessage>;

/// <summary>The message as it is stored.</summary>
/// <param name="Created">False for a repeat, answered with what is stored.</param>
public sealed record SentMessage(MessageView Message, bool Created);

public sealed class SendMessageValidator : AbstractValidator<SendMessage>
{
    public SendMessageValidator(IValidator<MessageContent> content) =>
        RuleFor(c => c.Content).SetValidator(content).OverridePropertyName("");
}

public sealed class SendMessageHandler(MessageSender messages) : IRequestHandler<SendMessage, SentMessage>
{
    public Task<SentMessage> Handle(SendMessage command, CancellationToken ct) =>
        messages.SendAsync(command.Actor, command.ConversationId, command.Content, ct);
}
