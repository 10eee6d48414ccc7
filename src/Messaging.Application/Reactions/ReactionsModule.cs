using Messaging.Application.Common;

namespace Messaging.Application.Reactions;

/// <summary>Who has put which emoji to which message.</summary>
public sealed class ReactionsModule : Module
{
    public override IReadOnlyList<string> Tables { get; } = ["reactions", "reaction_counts"];
}
