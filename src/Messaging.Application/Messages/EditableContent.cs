using FluentValidation;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Messages;

/// <summary>What a message says in words: its text, and what belongs to the text.</summary>
public sealed record EditableContent(MessageType Type, string? Text, JsonText? Metadata, IReadOnlyList<UserId>? Mentions);

public sealed class EditableContentValidator : AbstractValidator<EditableContent>
{
    public EditableContentValidator(LimitSettings limits)
    {
        RuleFor(m => m.Text).Must(text => text is null || StrictText.Length(text) <= limits.TextLength)
            .WithMessage($"A text has at most {limits.TextLength} characters.");
        RuleFor(m => m.Text).Must((m, text) => TypeRule.Of(m.Type).Text is not Requirement.Always || !string.IsNullOrWhiteSpace(text))
            .WithMessage((m, text) => TypeRule.Of(m.Type).Text.Expected(m.Type, "a text that is not empty"));
        RuleFor(m => m.Text).Must((m, text) => !string.IsNullOrWhiteSpace(text) || m.Metadata is not null)
            .When(m => m.Type is MessageType.System)
            .WithMessage("A message of type 'system' needs a text or metadata.");
        RuleFor(m => m.Metadata).Custom((json, context) =>
        {
            foreach (var (path, detail) in Formatting.Errors(json, context.InstanceToValidate.Text))
                context.AddFailure(path, detail);
        });
        RuleFor(m => m.Mentions).Must(mentions => mentions is null || mentions.Count <= 100)
            .WithMessage("A message mentions at most 100 people.");
    }
}
