using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Messaging.Api.Realtime;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Authorisation;

/// <summary>The table parted.txt against the running service: every way from one of two to the other while they are parted.</summary>
public sealed partial class PartedTests
{
    private const string Settled = "test:settled";
    private const string Sentinel = "test:event";

    private readonly Matrix matrix = Matrix.Read();
    private readonly ConcurrentDictionary<PartedCell, string> answers = new();
    private readonly ConcurrentDictionary<PartedCell, IReadOnlyList<string>> heard = new();
    private readonly ConcurrentDictionary<PartedCell, (string Before, string After)> seen = new();
    private PartedTable table = null!;
    private ApiHost api = null!;
    private HttpClient client = null!;

    [OneTimeSetUp]
    public async Task RunAsync()
    {
        table = PartedTable.Read(matrix);
        api = await ApiHost.StartAsync(("Messaging:Policies:DirectMessages", "requests"));
        client = api.AnonymousClient();
        await Parallel.ForEachAsync(
            table.Worlds, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (cells, _) => await RunAsync(cells));
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        client.Dispose();
        await api.DisposeAsync();
    }

    [Test]
    public void Every_way_from_one_to_the_other_has_its_row()
    {
        var endpoints = api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .SelectMany(endpoint =>
                (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []).Select(method => $"{method} {Route(endpoint)}"))
            .Where(endpoint => Between().IsMatch(endpoint));
        var hub = typeof(MessagingHub).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(method => method.GetBaseDefinition() == method).Select(method => $"{MatrixRow.Hub} {method.Name}");

        Assert.That(endpoints.Concat(hub).Except(table.Endpoints), Is.Empty);
    }

    [Test]
    public void Every_way_is_answered_as_the_table_says() => Assert.That(
        table.Cells.Where(cell => answers[cell] != cell.Expected).Select(cell => $"{cell}: {answers[cell]} in place of {cell.Expected}"),
        Is.Empty);

    [Test]
    public void The_other_one_hears_what_the_table_says_and_nothing_else() => Assert.That(
        table.Cells.Where(cell => !heard[cell].SequenceEqual(cell.Heard)).Select(cell => $"{cell}: {string.Join(' ', heard[cell])}"),
        Is.Empty);

    [Test]
    public void The_other_one_sees_nothing_new() => Assert.That(
        table.Cells.Where(cell => (seen[cell].Before != seen[cell].After) != cell.IsSeen)
            .Select(cell => $"{cell}: {string.Join('\n', seen[cell].After.Split('\n').Except(seen[cell].Before.Split('\n')))}"),
        Is.Empty);

    private async Task RunAsync(IReadOnlyList<PartedCell> cells)
    {
        var (first, told) = (cells[0], Settled);
        var world = new World(first, await BuildAsync(first));
        var other = world.UserOf(first.Other);
        await using var listening = await ConnectAsync(other);
        Assert.That(await listening.CallAsync("WatchPresence", $"[[\"{world.UserOf(first.Caller)}\"]]"), Is.Null);
        await PartAsync(first, world);
        await AsAsync(other, HttpMethod.Get, $"/v1/conversations/{world.Names["id"]}/messages", null);
        await TellAsync(other, Settled);
        var before = await LookAsync(first, world);

        foreach (var cell in cells)
        {
            answers[cell] = await CallAsync(cell, world);
            var sentinel = $"{Sentinel}:{cell.Number}";
            await TellAsync(other, sentinel);
            var all = await listening.HeardUntilAsync(sentinel);
            heard[cell] = [.. all.SkipWhile(type => type != told).Skip(1).Distinct().Order(StringComparer.Ordinal)];
            told = sentinel;
        }

        var after = await LookAsync(first, world);
        foreach (var cell in cells)
            seen[cell] = (before, after);
    }

    // Contacts who have talked, and what the service said after that is unread by both; or a first message that waits.
    private async Task<JsonObject> BuildAsync(PartedCell cell)
    {
        var world = new World(cell, []);
        var (first, second) = cell.Caller is "blocked" or "blocker" ? ("blocked", "blocker")
            : cell.Caller is "asker" or "asked" ? ("asker", "asked")
            : ("refused", "refuser");
        foreach (var person in new[] { first, second, "friend" })
            await AsAsync(world.UserOf(person), HttpMethod.Patch, "/v1/me", $$"""{"displayName":"{{person}}"}""");
        foreach (var asked in first == "blocked" ? new[] { second, "friend" } : ["friend"])
            await ContactAsync(world.UserOf(first), world.UserOf(asked));
        await ContactAsync(world.UserOf(second), world.UserOf("friend"));
        var opened = await AsAsync(
            world.UserOf(first), HttpMethod.Post, "/v1/conversations/direct",
            $$$"""{"userId":"{{{world.UserOf(second)}}}","message":{"text":"first"}}""");
        var names = new JsonObject { ["id"] = Copy(opened["id"]), [first] = Copy(opened["lastMessage"]!["id"]) };
        var group = await AsAsync(
            world.UserOf(cell.Caller), HttpMethod.Post, "/v1/conversations",
            $$"""{"name":"Friends","participantIds":["{{world.UserOf("friend")}}"]}""");
        names["group"] = Copy(group["id"]);
        if (first == "blocked")
        {
            var answer = await AsAsync(
                world.UserOf(second), HttpMethod.Post, $"/v1/conversations/{names["id"]}/messages", """{"text":"second"}""");
            names[second] = Copy(answer["id"]);
            await SaysAsync(names["id"]!);
            names["requestId"] = Guid.CreateVersion7().ToString();
        }
        else
        {
            names[second] = Copy(names[first]);
            var requests = await AsAsync(world.UserOf(second), HttpMethod.Get, "/v1/message-requests?direction=in", null);
            names["requestId"] = Copy(requests["items"]![0]!["id"]);
        }
        names["cursor"] = Copy((await AsAsync(world.UserOf(first), HttpMethod.Get, "/v1/sync", null))["cursor"]);
        return names;
    }

    private async Task PartAsync(PartedCell cell, World world)
    {
        if (cell.Caller is "blocked" or "blocker")
            await AsAsync(world.UserOf("blocker"), HttpMethod.Put, $"/v1/blocks/{world.UserOf("blocked")}", null);
        if (cell.Caller is "refused" or "refuser")
            await AsAsync(world.UserOf("refuser"), HttpMethod.Post, $"/v1/message-requests/{world.Names["requestId"]}/decline", null);
    }

    private async Task SaysAsync(JsonNode id)
    {
        using var answer = await api.ServiceClient().PostAsJsonAsync(
            $"/v1/conversations/{id}/messages", new { type = "system", metadata = new { @event = "parcel-sent" } });
        answer.EnsureSuccessStatusCode();
    }

    private async Task ContactAsync(string one, string other)
    {
        await AsAsync(one, HttpMethod.Post, "/v1/contacts", $$"""{"userId":"{{other}}"}""");
        await AsAsync(other, HttpMethod.Post, "/v1/contacts", $$"""{"userId":"{{one}}"}""");
    }

    private async Task<string> CallAsync(PartedCell cell, World world)
    {
        var user = world.UserOf(cell.Caller);
        if (cell.Method != MatrixRow.Hub)
            return await client.SendAsync(RequestOf(user, new HttpMethod(cell.Method), world.Fill(cell.Target),
                cell.Body is null ? null : world.Fill(cell.Body))).OutcomeAsync();
        await using var socket = await ConnectAsync(user);
        return await socket.CallAsync(cell.Target, world.Fill(cell.Body!)) is { } code ? matrix.WithStatus(code) : "200";
    }

    // All that the other one can look at.
    private async Task<string> LookAsync(PartedCell cell, World world)
    {
        var (all, id) = (new StringBuilder(), world.Names["id"]);
        foreach (var path in new[]
        {
            $"/v1/conversations/{id}", $"/v1/conversations/{id}/messages", $"/v1/conversations/{id}/participants",
            $"/v1/conversations/{id}/messages/{world.Names[cell.Other]}/receipts", $"/v1/conversations/{id}/pins",
            $"/v1/conversations/{id}/typing",
            "/v1/conversations", "/v1/contacts", "/v1/message-requests?direction=in", "/v1/message-requests?direction=out",
            $"/v1/presence?ids={world.UserOf(cell.Caller)}",
        })
        {
            using var answer = await client.SendAsync(RequestOf(world.UserOf(cell.Other), HttpMethod.Get, path, null));
            all.Append(path).Append(' ').Append(await answer.Content.ReadAsStringAsync()).Append('\n');
        }
        return CountedAt().Replace(all.ToString(), "");
    }

    private async Task<JsonObject> AsAsync(string user, HttpMethod method, string path, string? body)
    {
        using var answer = await client.SendAsync(RequestOf(user, method, path, body));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.IsSuccessStatusCode, Is.True, text);
        return text.Length == 0 ? [] : JsonNode.Parse(text)!.AsObject();
    }

    private static HttpRequestMessage RequestOf(string user, HttpMethod method, string path, string? body) => new(method, path)
    {
        Headers = { { "Authorization", $"Bearer {ApiHost.Token(user)}" } },
        Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"),
    };

    private async Task<MatrixSocket> ConnectAsync(string user) =>
        (await MatrixSocket.ConnectAsync(api.Address, [("Authorization", $"Bearer {ApiHost.Token(user)}")])).Socket!;

    // Everything before it in the feed is heard before it.
    private async Task TellAsync(string user, string type) => await api.Database.RowsAsync(
        $"INSERT INTO outbox (occurred_at, user_id, type, payload) VALUES (clock_timestamp(), '{user}', '{type}', '{{}}')", _ => 0);

    private static JsonNode? Copy(JsonNode? node) => node?.DeepClone();

    private static string Route(RouteEndpoint endpoint) => "/" + Constraint().Replace(endpoint.RoutePattern.RawText!, "}").Trim('/');

    // What is read reaches nobody, but the messages, by which one receives them.
    [GeneratedRegex("^((POST|PUT|PATCH|DELETE) /v1/(conversations|contacts|blocks|message-requests)|GET /v1/conversations/[^/]+/messages$)",
        RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Between();

    [GeneratedRegex(@":\w+\}", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Constraint();

    [GeneratedRegex("\"countedAt\":\"[^\"]*\"", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex CountedAt();

    /// <summary>The people of a cell, and what its names in braces mean.</summary>
    private sealed partial record World(PartedCell Cell, JsonObject Names)
    {
        public string UserOf(string person) => $"{person}-{Cell.Number}";

        public string Fill(string text) => Name().Replace(text, match => match.Groups["name"].Value switch
        {
            "mine" => $"{Names[Cell.Caller]}",
            "theirs" => $"{Names[Cell.Other]}",
            "other" => UserOf(Cell.Other),
            var name => $"{Names[name]}",
        });

        [GeneratedRegex(@"\{(\w+=)?(?<name>id|mine|theirs|other|group|requestId|cursor)\}", RegexOptions.ExplicitCapture,
            matchTimeoutMilliseconds: 1_000)]
        private static partial Regex Name();
    }
}
