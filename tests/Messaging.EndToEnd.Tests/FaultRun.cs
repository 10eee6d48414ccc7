using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Messaging.Application.Events;
using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>A group of a run, and who was removed from it meanwhile.</summary>
sealed record FaultGroup(string Id, string[] Members)
{
    public string Removed => Members[^1];

    /// <summary>Who is mentioned again and again.</summary>
    public string Mentioned => Members[^2];

    public IEnumerable<string> Staying => Members.SkipLast(1);

    /// <summary>Who reacts to some of the messages.</summary>
    public IEnumerable<string> Reacting => Members.Skip(2).Take(3);

    /// <summary>Who also comes back with a device that was away for longer than events are kept.</summary>
    public string Late => Members[5];

    /// <summary>Who blocks the other.</summary>
    public (string Blocker, string Blocked) Pair => (Members[6], Members[7]);
}

/// <summary>
/// Clients in groups of their own, half of them on each node, senders, pairs of whom one blocks the other, and devices that come late.
/// </summary>
sealed class FaultRun : IDisposable
{
    /// <summary>Sends that have to be acknowledged until something counts as going on.</summary>
    const int Some = 60;

    const int PairsOfRun = 2;

    readonly CancellationTokenSource quiet = new();
    readonly CancellationTokenSource over = new();
    readonly SendHistory history;
    Task sending = Task.CompletedTask;
    Task hearing = Task.CompletedTask;

    FaultRun(string name, ServiceNode[] nodes)
    {
        (Name, Nodes, history) = (name, nodes, new SendHistory(nodes));
    }

    public string Name { get; }

    public ServiceNode[] Nodes { get; }

    public IReadOnlyList<FaultGroup> Groups { get; private set; } = [];

    public IReadOnlyList<LiveClient> Clients { get; private set; } = [];

    public IReadOnlyList<BlockedPair> Pairs { get; private set; } = [];

    /// <summary>Devices that come when events after their cursors are no longer kept.</summary>
    public IReadOnlyList<LiveClient> LateClients { get; private set; } = [];

    /// <summary>A cursor of before the run.</summary>
    public string Expired { get; private set; } = "";

    /// <summary>Of those who stay until the end.</summary>
    public IEnumerable<(FaultGroup Group, LiveClient Client)> ClientsOfGroups => Groups.SelectMany(
        group => Clients.Where(client => group.Staying.Contains(client.User)).Select(client => (group, client)));

    public IReadOnlyCollection<AcknowledgedSend> Acknowledged => history.Acknowledged;

    public IReadOnlyCollection<AcknowledgedEdit> Edited => history.Edited;

    public static async Task<FaultRun> BeginAsync(string name, ServiceNode[] nodes, int groups, int members, int senders)
    {
        var run = new FaultRun(name, nodes);
        run.Expired = (await run.GetAsync($"{name}-early", "/v1/sync"))["cursor"]!.GetValue<string>();
        run.Groups = await Task.WhenAll(Enumerable.Range(0, groups).Select(group => run.FoundAsync(group, members)));
        run.Pairs = await Task.WhenAll(run.Groups.Take(PairsOfRun).Select(run.PairAsync));
        run.LateClients = await Task.WhenAll(run.Groups.Select(run.LateAsync));
        var clients = (await Task.WhenAll(run.Groups.Select(run.ClientsOfAsync))).SelectMany(some => some).ToList();
        run.Clients = clients;
        run.hearing = Task.WhenAll(clients.Select(client => client.HearAsync(nodes, run.over.Token)));
        await Eventually.HoldsAsync(() => clients.TrueForAll(client => client.Address is not null), "everybody is connected");
        run.sending = Task.WhenAll(run.Groups
            .SelectMany(group => group.Members.Take(senders).Select(user => run.history.SendAsync(user, group, run.quiet.Token)))
            .Concat(run.Pairs.Select(pair => pair.SendAsync(run.quiet.Token))));
        return run;
    }

    /// <summary>Returns once some more sends were acknowledged.</summary>
    public async Task GoOnAsync()
    {
        var enough = Acknowledged.Count + Some;
        await Eventually.HoldsAsync(() => Acknowledged.Count >= enough || sending.IsFaulted, $"{enough} sends are acknowledged");
    }

    /// <summary>Removes one member from each group, through whichever node answers.</summary>
    public Task RemoveLastAsync() => Task.WhenAll(Groups.Select(async group =>
    {
        for (var turn = 0; !await TryRemoveAsync(Nodes[turn % Nodes.Length], group); turn++)
        {
        }
    }));

    /// <summary>In each pair one blocks the other, through whichever node answers.</summary>
    public Task BlockAsync() => Task.WhenAll(Pairs.Select(pair => pair.BlockAsync()));

    /// <summary>Lets the late ones come, to whom the events after their cursors are no longer kept.</summary>
    public async Task ComeLateAsync(TestDatabase database)
    {
        var position = FeedCursor.Parse(Expired, "cursor").Position;
        await database.RowsAsync(
            $"UPDATE feed_state SET expired_position = {position + 1} WHERE last_position > {position} RETURNING id",
            row => row.GetBoolean(0));
        hearing = Task.WhenAll([hearing, .. LateClients.Select(client => client.HearAsync(Nodes, over.Token))]);
        Clients = [.. Clients, .. LateClients];
    }

    /// <summary>Ends the sends, waits until everybody has heard all of them, and disconnects.</summary>
    public async Task EndAsync(TestDatabase database)
    {
        await quiet.CancelAsync();
        await sending;
        await database.DrainedAsync();
        var last = (await database.RowsAsync("SELECT id::text, last_seq FROM conversations", row => (row.GetString(0), row.GetInt64(1))))
            .ToDictionary();
        foreach (var (group, client) in ClientsOfGroups)
        {
            await Eventually.HoldsAsync(
                () => client.Heard.Any(message => message.Conversation == group.Id && message.Seq == last[group.Id]),
                $"{client.User} hears of the last message");
        }
        await over.CancelAsync();
        await hearing;
    }

    public async Task<JsonObject> GetAsync(string user, string path, ServiceNode? node = null)
    {
        using var client = (node ?? Nodes[^1]).ClientFor(user);
        return (await client.GetFromJsonAsync<JsonObject>(path))!;
    }

    public void Dispose()
    {
        quiet.Cancel();
        over.Cancel();
        history.Dispose();
        foreach (var pair in Pairs)
            pair.Dispose();
    }

    async Task<FaultGroup> FoundAsync(int number, int members)
    {
        string[] users = [.. Enumerable.Range(0, members).Select(i => $"{Name}-{number}-{i:00}")];
        using var service = Nodes[0].ServiceClient();
        foreach (var user in users)
            (await service.PutAsJsonAsync($"/v1/users/{user}", new { displayName = user })).EnsureSuccessStatusCode();
        var answer = await service.PostAsJsonAsync("/v1/conversations", new { name = $"{Name} {number}", participantIds = users });
        Assert.That(answer.IsSuccessStatusCode, Is.True, await answer.Content.ReadAsStringAsync());
        return new((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!, users);
    }

    async Task<BlockedPair> PairAsync(FaultGroup group)
    {
        var pair = new BlockedPair(Nodes, group.Pair.Blocker, group.Pair.Blocked);
        await pair.MeetAsync();
        return pair;
    }

    async Task<LiveClient> LateAsync(FaultGroup group, int number)
    {
        var snapshot = await GetAsync(group.Late, "/v1/sync");
        snapshot["cursor"] = Expired;
        return new(group.Late, snapshot, first: number);
    }

    async Task<List<LiveClient>> ClientsOfAsync(FaultGroup group)
    {
        var clients = new List<LiveClient>();
        foreach (var user in group.Members)
            clients.Add(new LiveClient(user, await GetAsync(user, "/v1/sync"), first: clients.Count));
        return clients;
    }

    // Whom an earlier try has removed without an answer is not found.
    static async Task<bool> TryRemoveAsync(ServiceNode node, FaultGroup group)
    {
        using var service = node.ServiceClient();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            var answer = await service.DeleteAsync($"/v1/conversations/{group.Id}/participants/{group.Removed}", patience.Token);
            return (int)answer.StatusCode < 500;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return false;
        }
    }
}
