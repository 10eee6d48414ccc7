using Messaging.Application.Common;

namespace Messaging.Application.Saved;

/// <summary>Which messages somebody has saved for oneself.</summary>
public sealed class SavedModule : Module
{
    public override IReadOnlyList<string> Tables { get; } = ["saved_messages"];
}
