using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Domain.Common;
using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>A message of a group as it is stored at last.</summary>
sealed record StoredMessage(string Conversation, long Seq, string Id)
{
    public string? Key { get; init; }

    public string? Text { get; init; }

    public string? Event { get; init; }

    public long Version { get; init; }
}

/// <summary>
/// What must hold of a run however nodes failed: of what was acknowledged, of what is stored, and of what each client heard and folded.
/// </summary>
sealed class FaultChecks(FaultRun run, TestDatabase database, WebhookReceiver receiver)
{
    // Of each member what is unread, counted from the messages themselves.
    const string UnreadSql =
        """
        SELECT p.user_id, count(m.id)
        FROM participants p
        LEFT JOIN messages m ON m.conversation_id = p.conversation_id AND m.seq > greatest(p.last_read_seq, p.cleared_seq)
            AND m.sender_id <> p.user_id AND m.type <> 'system' AND m.deleted_at IS NULL
        WHERE p.left_at IS NULL
        GROUP BY p.user_id
        """;

    // Of each member and group the mentions that are unread, counted from the messages themselves.
    const string MentionsSql =
        """
        SELECT p.user_id, p.conversation_id::text, count(m.id)
        FROM participants p
        LEFT JOIN messages m ON m.conversation_id = p.conversation_id AND m.seq > greatest(p.last_read_seq, p.cleared_seq)
            AND p.user_id = ANY (m.mentions) AND m.sender_id <> p.user_id AND m.deleted_at IS NULL
        WHERE p.left_at IS NULL
        GROUP BY p.user_id, p.conversation_id
        """;

    const int PageSize = 50;

    readonly Dictionary<string, FaultGroup> groups = run.Groups.ToDictionary(group => group.Id);

    public async Task HoldAsync()
    {
        var stored = await StoredAsync();
        Assert.That(run.Clients.Select(client => client.Failure), Is.All.Null);
        AcknowledgedIsStoredOnce(stored);
        SeqsAreDense(stored);
        SeqsFollowTheAnswers();
        EverybodyHeardTheSame(stored);
        NobodyHeardWhatWasSentAfterTheyWereRemoved(stored);
        await new BlockChecks(run, database).HoldAsync();
        await EverybodyFoldedWhatIsReadAfreshAsync();
        await InboxesShowWhatIsStoredAsync(stored);
        await LateOnesBeganAnewAsync();
        await PagesAreContiguousAsync(stored);
        await new ChangeChecks(run, database, stored).HoldAsync();
        await new WebhookChecks(receiver, database).HoldAsync([.. groups.Keys, .. run.Pairs.Select(pair => pair.Conversation)]);
    }

    async Task<List<StoredMessage>> StoredAsync() => (await database.RowsAsync(
        "SELECT conversation_id::text, seq, id::text, client_message_id, text, metadata ->> 'event', version FROM messages ORDER BY seq",
        row => new StoredMessage(row.GetString(0), row.GetInt64(1), row.GetString(2))
        {
            Key = row.IsDBNull(3) ? null : row.GetString(3),
            Text = row.IsDBNull(4) ? null : row.GetString(4),
            Event = row.IsDBNull(5) ? null : row.GetString(5),
            Version = row.GetInt64(6),
        })).FindAll(message => groups.ContainsKey(message.Conversation));

    void AcknowledgedIsStoredOnce(List<StoredMessage> stored)
    {
        var sent = stored.FindAll(message => message.Key is not null);
        Assert.That(sent.Select(message => message.Text), Is.Unique, "a retry was stored again");
        Assert.That(
            sent.Select(message => (message.Conversation, message.Key, message.Id, message.Seq)),
            Is.EquivalentTo(run.Acknowledged.Select(send => (send.Conversation, send.Key, send.Id, send.Seq))));
    }

    static void SeqsAreDense(List<StoredMessage> stored)
    {
        foreach (var messages in stored.GroupBy(message => message.Conversation))
            Assert.That(messages.Select(message => message.Seq), Is.EqualTo(Enumerable.Range(1, messages.Count()).Select(n => (long)n)));
    }

    // What was acknowledged before another send began has the lower seq.
    void SeqsFollowTheAnswers()
    {
        foreach (var sends in run.Acknowledged.GroupBy(send => send.Conversation))
        {
            var answered = sends.OrderBy(send => send.AnsweredAt).ToList();
            var (before, highest) = (0, 0L);
            foreach (var send in sends.OrderBy(send => send.BegunAt))
            {
                for (; answered[before].AnsweredAt < send.BegunAt; before++)
                    highest = Math.Max(highest, answered[before].Seq);
                Assert.That(send.Seq, Is.GreaterThan(highest), send.Key);
            }
        }
    }

    // Every message of one's groups, and of each the same as is stored.
    void EverybodyHeardTheSame(List<StoredMessage> stored)
    {
        var known = stored.ToDictionary(message => (message.Conversation, message.Seq));
        foreach (var client in run.Clients)
        {
            foreach (var heard in HeardBy(client))
                Assert.That(heard.Id, Is.EqualTo(known[(heard.Conversation, heard.Seq)].Id), client.User);
            var missed = stored.FindAll(message => groups[message.Conversation].Staying.Contains(client.User)
                && message.Seq > client.SeqAtFirst(message.Conversation));
            Assert.That(
                HeardBy(client).Select(heard => (heard.Conversation, heard.Seq)).Distinct(),
                Is.SupersetOf(missed.Select(message => (message.Conversation, message.Seq))), $"{client.User} misses some");
        }
    }

    void NobodyHeardWhatWasSentAfterTheyWereRemoved(List<StoredMessage> stored)
    {
        var removals = stored.Where(message => message.Event == "user-removed")
            .ToDictionary(message => message.Conversation, message => message.Seq);
        Assert.That(removals.Keys, Is.EquivalentTo(groups.Keys));
        foreach (var client in run.Clients)
        {
            Assert.That(
                HeardBy(client).Where(heard => !groups[heard.Conversation].Members.Contains(client.User)
                    || (groups[heard.Conversation].Removed == client.User && heard.Seq >= removals[heard.Conversation])),
                Is.Empty, client.User);
        }
    }

    // From where each client has come, and once more from where it began.
    async Task EverybodyFoldedWhatIsReadAfreshAsync()
    {
        var unread = (await database.RowsAsync(UnreadSql, row => (row.GetString(0), row.GetInt64(1)))).ToDictionary();
        await Task.WhenAll(run.Clients.Chunk(50).Select(some => HoldAsync(some, unread)));
    }

    async Task HoldAsync(LiveClient[] clients, Dictionary<string, long> unread)
    {
        foreach (var client in clients)
        {
            var fresh = await run.GetAsync(client.User, "/v1/sync");
            var inbox = new ClientModel(client.User, fresh).Inbox;
            await CatchUpAsync(client.User, client.Model, client.Model.Cursor);
            Assert.That(client.Model.Inbox, Is.EqualTo(inbox), client.User);
            Assert.That(fresh["unread"]!["messages"]!.GetValue<long>(), Is.EqualTo(unread.GetValueOrDefault(client.User)), client.User);
            var isAsked = groups.Values.Any(group => group.Members[0] == client.User || group.Removed == client.User);
            if (!isAsked && client.BegunAnew == 0)
                continue;
            var resumed = new ClientModel(client.User, client.Snapshot);
            await CatchUpAsync(client.User, resumed, client.FirstCursor);
            Assert.That(resumed.Inbox, Is.EqualTo(inbox), $"{client.User} from the beginning");
        }
    }

    // The last message of each group, and how many mentions are unread.
    async Task InboxesShowWhatIsStoredAsync(List<StoredMessage> stored)
    {
        var mentions = (await database.RowsAsync(MentionsSql, row => ((row.GetString(0), row.GetString(1)), row.GetInt64(2))))
            .ToDictionary();
        var last = stored.GroupBy(message => message.Conversation).ToDictionary(group => group.Key, group => group.Last().Id);
        Assert.That(groups.Values.Select(group => mentions[(group.Mentioned, group.Id)]), Is.All.Positive);
        foreach (var (user, group) in groups.Values.SelectMany(group => group.Staying.Select(user => (user, group))))
        {
            var shown = await run.GetAsync(user, $"/v1/conversations/{group.Id}");
            Assert.That(
                (shown["lastMessage"]!["id"]!.GetValue<string>(), shown["me"]!["mentionCount"]!.GetValue<long>()),
                Is.EqualTo((last[group.Id], mentions[(user, group.Id)])), user);
        }
    }

    // By whichever node: every message from the first to the last, once, and the one that is stored.
    async Task PagesAreContiguousAsync(List<StoredMessage> stored)
    {
        foreach (var (group, node) in groups.Values.SelectMany(group => run.Nodes.Select(node => (group, node))))
        {
            var all = stored.FindAll(message => message.Conversation == group.Id).ConvertAll(message => (message.Seq, message.Id));
            for (var read = 0; read < all.Count; read += PageSize)
            {
                var page = await run.GetAsync(
                    group.Members[0], $"/v1/conversations/{group.Id}/messages?after={read}&limit={PageSize}", node);
                Assert.That(
                    page["items"]!.AsArray().Select(item => (item!["seq"]!.GetValue<long>(), item["id"]!.GetValue<string>())),
                    Is.EquivalentTo(all.Skip(read).Take(PageSize)), $"{group.Id} after {read} on {node.Address}");
            }
        }
    }

    // Over the hub once, and over REST by whichever node.
    async Task LateOnesBeganAnewAsync()
    {
        Assert.That(run.LateClients.Select(client => client.BegunAnew), Is.Not.Empty.And.All.EqualTo(1));
        Assert.That(run.Clients.Except(run.LateClients).Select(client => client.BegunAnew), Is.All.Zero);
        foreach (var node in run.Nodes)
        {
            using var client = node.ClientFor(run.LateClients[0].User);
            using var answer = await client.GetAsync(new Uri($"/v1/sync?since={run.Expired}", UriKind.Relative));
            var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();
            Assert.That(((int)answer.StatusCode, problem.GetProperty("code").GetString()), Is.EqualTo((410, ProblemCodes.CursorExpired)));
        }
    }

    IEnumerable<HeardMessage> HeardBy(LiveClient client) => client.Heard.Where(heard => groups.ContainsKey(heard.Conversation));

    async Task CatchUpAsync(string user, ClientModel model, string cursor)
    {
        for (var more = true; more;)
        {
            var page = await run.GetAsync(user, $"/v1/sync?since={cursor}");
            foreach (var envelope in page["events"]!.AsArray())
                model.Apply(envelope!.AsObject());
            (cursor, more) = (page["cursor"]!.GetValue<string>(), page["hasMore"]!.GetValue<bool>());
        }
    }
}
