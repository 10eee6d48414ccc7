using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>Who leads the feed, as the database knows it.</summary>
static class Leases
{
    public static async Task<ServiceNode> LeaderAsync(this ServiceNode[] nodes, TestDatabase database)
    {
        var holder = (await database.RowsAsync("SELECT holder FROM leases WHERE name = 'sequencer'", row => row.GetString(0))).Single();
        return nodes.Single(node => holder.Contains($":{node.Process.Id}:", StringComparison.Ordinal));
    }

    public static async Task<long> FencingAsync(this TestDatabase database) =>
        (await database.RowsAsync("SELECT fencing FROM leases WHERE name = 'sequencer'", row => row.GetInt64(0))).Single();
}
