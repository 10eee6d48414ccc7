using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>What must hold of messages that were edited and reacted to while nodes failed.</summary>
sealed class ChangeChecks(FaultRun run, TestDatabase database, List<StoredMessage> stored)
{
    const string EarlierSql =
        """
        SELECT m.id::text, e.version, e.text
        FROM message_edits e
        JOIN messages m USING (conversation_id, seq)
        """;

    // Counted from the reactions themselves.
    const string ReactionsSql =
        """
        SELECT m.id::text, r.emoji, count(*)
        FROM reactions r
        JOIN messages m USING (conversation_id, seq)
        GROUP BY m.id, r.emoji
        """;

    // Without those of the service.
    readonly Dictionary<string, StoredMessage> newest = stored.Where(message => message.Key is not null)
        .ToDictionary(message => message.Id);

    public async Task HoldAsync()
    {
        await EveryVersionIsTheSameToAllAsync();
        EverybodyHeardTheNewest();
        await EveryReactionIsCountedAsync();
    }

    // What was acknowledged is stored, and of what was heard each version says the same to all.
    async Task EveryVersionIsTheSameToAllAsync()
    {
        var texts = (await database.RowsAsync(EarlierSql, row => ((row.GetString(0), row.GetInt64(1)), row.GetString(2)))).ToDictionary();
        foreach (var message in newest.Values)
            texts[(message.Id, message.Version)] = message.Text!;
        Assert.That(run.Edited, Is.Not.Empty);
        Assert.That(run.Edited.Select(edit => edit with { Text = texts[(edit.Id, edit.Version)] }), Is.EqualTo(run.Edited));
        Assert.That(run.Edited.Select(edit => edit with { Text = newest[edit.Id].Text! }), Is.EqualTo(run.Edited));
        foreach (var client in run.Clients)
        {
            var heard = client.Heard.Where(message => newest.ContainsKey(message.Id)).ToList();
            Assert.That(heard, Is.EqualTo(heard.Select(one => one with { Text = texts[(one.Id, one.Version)] })), client.User);
        }
    }

    // Of every message that a client has heard of.
    void EverybodyHeardTheNewest()
    {
        foreach (var (_, client) in run.ClientsOfGroups)
        {
            var last = client.Heard.Where(message => newest.ContainsKey(message.Id)).GroupBy(message => message.Id)
                .Select(versions => (versions.Key, versions.Max(one => one.Version))).ToList();
            Assert.That(last, Is.EqualTo(last.Select(one => (one.Key, newest[one.Key].Version))), client.User);
        }
    }

    // In what each client has counted, and in what is read afresh.
    async Task EveryReactionIsCountedAsync()
    {
        var counted = await database.RowsAsync(
            ReactionsSql, row => KeyValuePair.Create((row.GetString(0), row.GetString(1)), row.GetInt64(2)));
        Assert.That(
            counted.Where(one => one.Key.Item2 == SendHistory.Staying && one.Value == run.Groups[0].Reacting.Count())
                .Select(one => one.Key.Item1),
            Is.SupersetOf(run.Edited.Select(edit => edit.Id)));
        foreach (var (group, client) in run.ClientsOfGroups)
        {
            var heard = Ids(group, after: client.SeqAtFirst(group.Id));
            Assert.That(
                client.Reactions.Where(one => heard.Contains(one.Key.Message)),
                Is.EquivalentTo(counted.Where(one => heard.Contains(one.Key.Item1))), client.User);
        }
        foreach (var group in run.Groups)
        {
            var all = Ids(group, after: 0);
            Assert.That(await ReadAfreshAsync(group), Is.EquivalentTo(counted.Where(one => all.Contains(one.Key.Item1))), group.Id);
        }
    }

    HashSet<string> Ids(FaultGroup group, long after) =>
        [.. stored.Where(message => message.Conversation == group.Id && message.Seq > after).Select(message => message.Id)];

    async Task<Dictionary<(string, string), long>> ReadAfreshAsync(FaultGroup group)
    {
        var reactions = new Dictionary<(string, string), long>();
        for (long? after = 0; after is not null;)
        {
            var page = await run.GetAsync(group.Members[0], $"/v1/conversations/{group.Id}/messages?after={after}&limit=50");
            foreach (var message in page["items"]!.AsArray())
            {
                foreach (var one in message!["reactions"]!.AsArray())
                    reactions[(message["id"]!.GetValue<string>(), one!["emoji"]!.GetValue<string>())] = one["count"]!.GetValue<long>();
            }
            after = page["after"]?.GetValue<long>();
        }
        return reactions;
    }
}
