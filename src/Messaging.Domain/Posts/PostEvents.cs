using Messaging.Domain.Common;

namespace Messaging.Domain.Posts;

/// <summary>What a host has posted within a transaction of its own was refused.</summary>
public sealed record PostRefused : IServiceEvent
{
    public const string Name = "post:refused";

    public string Type => Name;
}
