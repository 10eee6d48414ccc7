using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Messaging.Api.Realtime;
using Messaging.Testing;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Authorisation;

/// <summary>
/// The tables of who may call what against the running service: first all calls that are to be refused, after which the database must be
/// as it was, then those that are to be served.
/// </summary>
public sealed partial class MatrixTests
{
    private const string Sentinel = "test:event";

    private readonly Matrix matrix = Matrix.Read();
    private readonly ConcurrentDictionary<MatrixCell, string> answers = new();
    private readonly ConcurrentDictionary<MatrixCell, MatrixSocket> listeners = new();
    private readonly ConcurrentDictionary<MatrixCell, IReadOnlyList<string>> heard = new();
    private ApiHost api = null!;
    private MatrixCaller caller = null!;
    private List<string> changes = [];

    [OneTimeSetUp]
    public async Task RunAsync()
    {
        api = await ApiHost.StartAsync(("Messaging:Accounts:Enabled", "true"), ("Messaging:Accounts:HashIterations", "10"));
        var world = new MatrixWorld(api.Database);
        caller = new MatrixCaller(api, matrix, world);
        await world.BuildAsync(matrix.Cells);
        await caller.MakeKeysAsync();
        world.Cursor = (await api.ServiceClient().GetFromJsonAsync<JsonElement>("/v1/sync")).GetProperty("cursor").GetString()!;

        var (refused, served) = (matrix.Cells.Where(cell => cell.IsRefused).ToList(), matrix.Cells.Where(cell => !cell.IsRefused).ToList());
        await EachAsync(refused.Where(IsListening), async cell => listeners[cell] = await caller.ListenAsync(cell));
        await world.RememberAsync();
        await EachAsync(refused, async cell => answers[cell] = await caller.CallAsync(cell));
        changes = await world.ChangesAsync();
        await ListenToTheEndAsync();
        await EachAsync(served, async cell => answers[cell] = await caller.CallAsync(cell));
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        foreach (var socket in listeners.Values)
            await socket.DisposeAsync();
        await api.DisposeAsync();
    }

    [Test]
    public void Every_endpoint_and_hub_method_has_a_row_and_every_row_is_one_of_them()
    {
        Assert.That(matrix.Rows.Select(row => row.Endpoint).Distinct(), Is.EquivalentTo(Calls().Select(call => call.Endpoint)));
    }

    [Test]
    public void Every_row_stands_with_the_tests_of_its_module()
    {
        var modules = Calls().ToLookup(call => call.Endpoint, call => call.Module);

        Assert.That(
            matrix.Rows.Where(row => !modules[row.Endpoint].Contains(row.Module)).Select(row => $"{row} in {row.Module}"), Is.Empty);
    }

    [Test]
    public void Every_call_is_answered_as_the_table_says() =>
        Assert.That(
            matrix.Cells.Where(cell => answers[cell] != cell.Expected)
                .Select(cell => $"{cell}: {answers[cell]} in place of {cell.Expected}"), Is.Empty);

    [Test]
    public void A_refused_request_changes_nothing() => Assert.That(changes, Is.Empty);

    [Test]
    public void Who_is_refused_hears_nothing()
    {
        Assert.That(heard, Is.Not.Empty);
        Assert.That(heard.Where(pair => pair.Value.Count > 0).Select(pair => $"{pair.Key}: {string.Join(' ', pair.Value)}"), Is.Empty);
    }

    // Of each endpoint and method of the hub, and the module that has it.
    private IEnumerable<(string Endpoint, string Module)> Calls()
    {
        var endpoints = api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => !Route(endpoint).StartsWith(MessagingHub.Path, StringComparison.Ordinal))
            .SelectMany(
                endpoint => endpoint.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods,
                (endpoint, method) => ($"{method} {Route(endpoint)}", ModuleOf(endpoint.Metadata.GetRequiredMetadata<MethodInfo>())));
        var hub = typeof(MessagingHub).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(method => method.GetBaseDefinition() == method).Select(method => ($"{MatrixRow.Hub} {method.Name}", ModuleOf(method)));
        return endpoints.Concat(hub);
    }

    private static string ModuleOf(MethodInfo method) => method.DeclaringType!.Namespace!.Split('.')[2];

    // Where one's credential is refused there is nobody to hear, and what is closed is told as what is open.
    private static bool IsListening(MatrixCell cell) => cell.State == "active" && cell.Caller == MatrixWorld.PersonOf(cell);

    // Everything before it in the feed is heard before it.
    private async Task ListenToTheEndAsync()
    {
        var users = string.Join(',', listeners.Keys.Select(MatrixWorld.UserOf));
        await api.Database.RowsAsync(
            $$"""
            INSERT INTO outbox (occurred_at, user_id, type, payload)
            SELECT now(), id, '{{Sentinel}}', '{}'
            FROM unnest('{{{users}}}'::text[]) AS id
            """,
            _ => 0);
        await EachAsync(listeners.Keys, async cell => heard[cell] = await listeners[cell].HeardUntilAsync(Sentinel));
    }

    private static Task EachAsync(IEnumerable<MatrixCell> cells, Func<MatrixCell, Task> act) =>
        Parallel.ForEachAsync(cells, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (cell, _) => await act(cell));

    private static string Route(RouteEndpoint endpoint) =>
        "/" + Constraint().Replace(endpoint.RoutePattern.RawText!, "}").Trim('/');

    [GeneratedRegex(@":\w+\}", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Constraint();
}
