using Messaging.Infrastructure.Database;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>Where a node's looks for lanes that are due begin, of each webhook, whatever connection they are made on.</summary>
public sealed class LaneLooks(TimeProvider time)
{
    private Dictionary<Guid, DueFrom> looks = [];

    /// <summary>How much time those from the beginning take.</summary>
    public WholeLooks Whole { get; } = new(time);

    public DueFrom this[Guid webhook] => looks[webhook];

    /// <summary>Keeps those of the webhooks that there are.</summary>
    public void Keep(IEnumerable<Guid> webhooks) =>
        looks = webhooks.ToDictionary(webhook => webhook, webhook => looks.GetValueOrDefault(webhook) ?? new DueFrom(Whole, time));
}
