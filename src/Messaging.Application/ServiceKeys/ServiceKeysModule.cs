using Messaging.Application.Common;

namespace Messaging.Application.ServiceKeys;

/// <summary>Keys of other services.</summary>
public sealed class ServiceKeysModule : Module
{
    public override IReadOnlyList<string> Tables { get; } = ["service_keys"];

    // A key that is revoked takes along the tokens that it minted.
    public override IReadOnlyList<string> AlsoWrites { get; } = ["revocations"];
}
