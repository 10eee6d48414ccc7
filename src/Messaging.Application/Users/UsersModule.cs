using Messaging.Application.Common;

namespace Messaging.Application.Users;

/// <summary>Profiles, minted tokens and their revocation.</summary>
public sealed class UsersModule : Module
{
    public override IReadOnlyList<string> Tables { get; } = ["users"];

    // Revoking all tokens of a user ends the logins and the pushes to devices, too.
    public override IReadOnlyList<string> AlsoWrites { get; } = ["refresh_tokens", "revocations", "devices"];
}
