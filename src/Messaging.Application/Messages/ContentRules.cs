using FluentValidation;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Messages;

namespace Messaging.Application.Messages;

/// <summary>The shapes of what a message carries beside its text.</summary>
public static class ContentRules
{
    private const int NameLength = 200;

    public static IRuleBuilderOptions<T, MessageLocation> ValidLocation<T>(this IRuleBuilder<T, MessageLocation> rule) =>
        rule.ChildRules(location =>
    {
        location.RuleFor(l => l.Latitude).InclusiveBetween(-90, 90).WithMessage("Between -90 and 90 degrees are expected.");
        location.RuleFor(l => l.Longitude).InclusiveBetween(-180, 180).WithMessage("Between -180 and 180 degrees are expected.");
        location.RuleFor(l => l.Label).Must(IsNameOrNull).WithMessage($"A label has 1 to {NameLength} characters.");
    });

    public static IRuleBuilderOptions<T, MessageReference> ValidReference<T>(this IRuleBuilder<T, MessageReference> rule) =>
        rule.ChildRules(reference =>
    {
        reference.RuleFor(r => r.Type).Must(ContextRules.IsType).WithMessage("A type has 1 to 64 of A-Z a-z 0-9 _ . -.");
        reference.RuleFor(r => r.Id).Must(ContextRules.IsId).WithMessage("An id has 1 to 128 characters.");
        reference.RuleFor(r => r.Title).Must(IsNameOrNull).WithMessage($"A title has 1 to {NameLength} characters.");
        reference.RuleFor(r => r.Url).Must(WebAddress.IsValidOrNull).WithMessage(WebAddress.Expected);
        reference.RuleFor(r => r.ImageUrl).Must(WebAddress.IsValidOrNull).WithMessage(WebAddress.Expected);
    });

    private static bool IsNameOrNull(string? name) => name is null || StrictText.Length(name) is >= 1 and <= NameLength;
}
