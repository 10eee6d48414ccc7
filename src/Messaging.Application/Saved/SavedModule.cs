using Messaging.Application.Common;

namespace Messaging.Application.Saved;

/// <summary>The messages that users have saved for themselves.</summary>
public sealed class SavedModule : Module
{
    public override IReadOnlyList<string> Tables { get; } = ["saved_messages"];
}
