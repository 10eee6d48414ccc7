using Messaging.Application.Common;

namespace Messaging.Infrastructure.Cluster;

/// <summary>What one node of several does at a time.</summary>
public sealed class ClusterModule : Module
{
    public override IReadOnlyList<string> Tables { get; } = ["leases"];
}
