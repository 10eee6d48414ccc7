using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Messaging.Api.Tests.Attachments;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;

namespace Messaging.Api.Tests.Surface;

/// <summary>Every code of the served document, with a request that is refused with it where the document says so.</summary>
public sealed class ProblemCodeTests : AttachmentFixture
{
    // A body that does not arrive is the server's to notice; FailureTests has the shape of what it answers.
    private const string OfTheServer = "request-timeout";

    private static readonly Dictionary<string, Func<ProblemCodeTests, Task<HttpResponseMessage>>> Requests = new(StringComparer.Ordinal)
    {
        ["invalid-request"] = test => test.CallAsync(test.ada, "GET", "/v1/conversations?limit=0"),
        ["unauthenticated"] = test => test.Api.AnonymousClient().GetAsync("/v1/me"),
        ["not-allowed"] = async test => await test.CallAsync(test.bob, "PATCH", await test.GroupAsync(), new { name = "Mine" }),
        ["blocked"] = test => test.OpenBlockedAsync(),
        ["not-a-contact"] = test => test.WithAsync("Messaging:Policies:DirectMessages", "contacts", test.OpenDirectAsync),
        ["scope-missing"] = test => test.CallWithoutScopeAsync(),
        ["not-found"] = test => test.CallAsync(test.ada, "GET", $"/v1/conversations/{Guid.CreateVersion7()}"),
        ["method-not-allowed"] = test => test.CallAsync(test.ada, "DELETE", "/v1/unread"),
        ["not-acceptable"] = test => test.CallAsync(test.ada, "GET", "/v1/unread", headers: ("Accept", "text/html")),
        ["conversation-closed"] = async test => await test.SendAfterAsync(await test.GroupAsync(), "close", new { reason = "manual" }),
        ["conversation-archived"] = async test => await test.SendAfterAsync(await test.GroupAsync(), "archive", body: null),
        ["group-full"] = test => test.CallAsync(
            test.ada, "POST", "/v1/conversations", new { name = "Four", participantIds = (string[])[test.bob, "carl", "dora"] }),
        ["banned"] = test => test.AddBannedAsync(),
        ["last-owner"] = async test =>
            await test.CallAsync(test.ada, "PATCH", $"{await test.GroupAsync()}/participants/{test.ada}", new { role = "member" }),
        ["direct-is-fixed"] = async test => await test.CallAsync(test.ada, "POST", $"{await test.DirectAsync()}/leave"),
        ["edit-window-passed"] = test => test.ChangeLateAsync("PATCH", new { text = "two" }),
        ["delete-window-passed"] = test => test.ChangeLateAsync("DELETE", body: null),
        ["message-deleted"] = test => test.EditDeletedAsync(),
        ["limit-reached"] = test => test.EditTooOftenAsync(),
        ["request-pending"] = test => test.WithAsync("Messaging:Policies:DirectMessages", "requests", test.SendTwiceAsync),
        ["already-exists"] = test => test.TakeSlugTwiceAsync(),
        ["webhook-disabled"] = test => test.TestDisabledAsync(),
        ["idempotency-in-progress"] = test => test.RepeatMeanwhileAsync(),
        ["idempotency-key-reused"] = test => test.ReuseKeyAsync(),
        ["cursor-expired"] = test => test.CallAsync(test.ada, "GET", "/v1/sync?since=ffffffff-1"),
        ["version-mismatch"] = async test =>
            await test.CallAsync(test.ada, "PATCH", await test.GroupAsync(), new { name = "New" }, ("If-Match", "\"99\"")),
        ["too-large"] = test => test.CallAsync(test.ada, "POST", "/v1/conversations", new { name = new string('n', 1024 * 1024) }),
        ["unsupported-media"] = test =>
            test.Api.ClientFor(test.ada).PostAsync("/v1/conversations", new StringContent("name", Encoding.UTF8, "text/plain")),
        ["range-not-satisfiable"] = async test => await test.GetFileAsync(
            Url(await test.UploadAsync(test.ada, IdOf(await test.GroupAsync()), Pdf)), ("Range", "bytes=999999-")),
        ["unsafe-file"] = test => test.UploadVirusAsync(),
        ["undecodable-file"] = async test =>
            await test.TryUploadAsync(test.ada, IdOf(await test.GroupAsync()), [0x89, .. "PNG\r\n"u8, 0x1A, (byte)'\n', .. new byte[100]]),
        ["rate-limited"] = test => test.SendTooFastAsync(),
        ["internal"] = test => test.CallBrokenAsync(api => api.Database.RowsAsync("DROP TABLE blocks", _ => 0)),
        ["unavailable"] = test => test.CallBrokenAsync(api => api.Database.DisposeAsync().AsTask()),
    };

    private string ada = "";
    private string bob = "";

    private static IEnumerable<string> Codes => Requests.Keys;

    protected override IEnumerable<(string Name, string? Value)> Settings() => [("Messaging:Limits:GroupSize", "3")];

    [SetUp]
    public async Task MeetAsync() => (ada, bob) = (await UserAsync(), await UserAsync());

    [TestCaseSource(nameof(Codes))]
    public async Task A_refusal_has_a_code_that_the_document_names_for_the_call(string code)
    {
        using var answer = await Requests[code](this);

        Assert.That((await answer.JsonAsync()).GetProperty("code").GetString(), Is.EqualTo(code));
        Assert.That(Contract.Served.Codes(
            answer.RequestMessage!.Method, answer.RequestMessage.RequestUri!.AbsolutePath, (int)answer.StatusCode), Does.Contain(code));
    }

    [Test]
    public void No_code_is_documented_that_no_request_is_refused_with() =>
        Assert.That(Contract.Served.AllCodes(), Is.EquivalentTo(Codes.Append(OfTheServer)));

    private static string IdOf(string path) => path.Split('/')[^1];

    private Task<HttpResponseMessage> CallAsync(
        string user, string method, string path, object? body = null, params (string Name, string Value)[] headers) =>
        CallAsync(Api, user, method, path, body, headers);

    private static Task<HttpResponseMessage> CallAsync(
        ApiHost api, string user, string method, string path, object? body = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : JsonContent.Create(body) };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return api.ClientFor(user).SendAsync(request);
    }

    private async Task<string> GroupAsync(object? policy = null)
    {
        var group = await PostAsync(ada, "/v1/conversations", new { name = "Group", participantIds = (string[])[bob], policy });
        return $"/v1/conversations/{group.GetProperty("id")}";
    }

    private async Task<string> DirectAsync() =>
        $"/v1/conversations/{(await PostAsync(ada, "/v1/conversations/direct", new { userId = bob })).GetProperty("id")}";

    private async Task<HttpResponseMessage> WithAsync(string setting, string value, Func<ApiHost, Task<HttpResponseMessage>> call)
    {
        await using var api = await ApiHost.StartAsync((setting, value));
        await api.ClientFor(bob).GetAsync("/v1/me");
        return await call(api);
    }

    private Task<HttpResponseMessage> OpenDirectAsync(ApiHost api) =>
        CallAsync(api, ada, "POST", "/v1/conversations/direct", new { userId = bob, message = new { text = "hello" } });

    private async Task<HttpResponseMessage> OpenBlockedAsync()
    {
        await CallAsync(bob, "PUT", $"/v1/blocks/{ada}");
        return await OpenDirectAsync(Api);
    }

    private async Task<HttpResponseMessage> SendTwiceAsync(ApiHost api)
    {
        var opened = await OpenDirectAsync(api);
        return await CallAsync(api, ada, "POST", $"{opened.Headers.Location}/messages", new { text = "are you there?" });
    }

    private async Task<HttpResponseMessage> CallWithoutScopeAsync()
    {
        var key = await Api.ServiceClient().PostAsJsonAsync("/v1/admin/keys", new { name = "users", scopes = (string[])["users"] });
        return await Api.ServiceClient(key: (await key.JsonAsync()).GetProperty("key").GetString()!).GetAsync("/v1/admin/keys");
    }

    private async Task<HttpResponseMessage> SendAfterAsync(string group, string action, object? body)
    {
        (await CallAsync(ada, "POST", $"{group}/{action}", body)).EnsureSuccessStatusCode();
        return await CallAsync(ada, "POST", $"{group}/messages", new { text = "hello" });
    }

    private async Task<HttpResponseMessage> AddBannedAsync()
    {
        var group = await GroupAsync();
        await CallAsync(ada, "PUT", $"{group}/bans/{bob}");
        return await CallAsync(ada, "POST", $"{group}/participants", new { userIds = (string[])[bob] });
    }

    private async Task<HttpResponseMessage> ChangeLateAsync(string method, object? body)
    {
        var group = await GroupAsync(new { editWindowSeconds = 0, deleteWindowSeconds = 0 });
        var message = await PostAsync(bob, $"{group}/messages", new { text = "one" });
        return await CallAsync(bob, method, $"{group}/messages/{message.GetProperty("id")}", body);
    }

    private async Task<HttpResponseMessage> EditDeletedAsync()
    {
        var group = await GroupAsync();
        var message = $"{group}/messages/{(await PostAsync(ada, $"{group}/messages", new { text = "one" })).GetProperty("id")}";
        await CallAsync(ada, "DELETE", message);
        return await CallAsync(ada, "PATCH", message, new { text = "two" });
    }

    private async Task<HttpResponseMessage> EditTooOftenAsync()
    {
        var group = await GroupAsync();
        var message = $"{group}/messages/{(await PostAsync(ada, $"{group}/messages", new { text = "one" })).GetProperty("id")}";
        for (var i = 0; i < 50; i++)
            (await CallAsync(ada, "PATCH", message, new { text = $"edit {i}" })).EnsureSuccessStatusCode();
        return await CallAsync(ada, "PATCH", message, new { text = "once more" });
    }

    private async Task<HttpResponseMessage> TestDisabledAsync()
    {
        var created = await Api.ServiceClient().PostAsJsonAsync("/v1/webhooks", new { url = "https://93.184.216.34/", enabled = false });
        var id = (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        return await Api.ServiceClient().PostAsync($"/v1/webhooks/{id}/test", content: null);
    }

    private async Task<HttpResponseMessage> TakeSlugTwiceAsync()
    {
        var group = new { name = "Group", participantIds = (string[])[bob], slug = $"slug-{ada}" };
        await PostAsync(ada, "/v1/conversations", group);
        return await CallAsync(ada, "POST", "/v1/conversations", group);
    }

    private async Task<HttpResponseMessage> ReuseKeyAsync()
    {
        var group = await GroupAsync();
        await PostAsync(ada, $"{group}/messages", new { text = "one", clientMessageId = "1" });
        return await CallAsync(ada, "POST", $"{group}/messages", new { text = "two", clientMessageId = "1" });
    }

    // The lock that the first request with the key would hold.
    private async Task<HttpResponseMessage> RepeatMeanwhileAsync()
    {
        await using var connection = await Api.Database.DataSource.OpenConnectionAsync();
        await using var held = await connection.BeginTransactionAsync();
        await using var hold = connection.CreateCommand();
        hold.CommandText = $"SELECT pg_advisory_xact_lock(hashtextextended('user:{ada}' || chr(10) || 'key', 4711))";
        await hold.ExecuteNonQueryAsync();
        return await CallAsync(
            ada, "POST", "/v1/conversations", new { name = "Group", participantIds = (string[])[bob] }, ("Idempotency-Key", "key"));
    }

    private async Task<HttpResponseMessage> SendTooFastAsync()
    {
        var group = await GroupAsync(new { slowModeSeconds = 3600 });
        await PostAsync(bob, $"{group}/messages", new { text = "one" });
        return await CallAsync(bob, "POST", $"{group}/messages", new { text = "two" });
    }

    private async Task<HttpResponseMessage> UploadVirusAsync()
    {
        await using var clamd = ServerProcess.Clamd();
        await clamd.StartAsync();
        await using var api = await ApiHost.StartAsync(("Messaging:Scan:ClamdAddress", $"127.0.0.1:{clamd.Port}"));
        await api.ClientFor(bob).GetAsync("/v1/me");
        var group = await (await CallAsync(api, ada, "POST", "/v1/conversations", new { name = "Group", participantIds = (string[])[bob] }))
            .JsonAsync();
        using var form = new MultipartFormDataContent
        {
            { new StringContent(group.GetProperty("id").GetString()!), "conversationId" },
            { new ByteArrayContent(FileScanTests.Eicar), "file", "a.txt" },
        };
        return await api.ClientFor(ada).PostAsync("/v1/attachments", form);
    }

    private async Task<HttpResponseMessage> CallBrokenAsync(Func<ApiHost, Task> breakAsync)
    {
        await using var api = await ApiHost.StartAsync();
        await api.ClientFor(ada).GetAsync("/v1/me");
        await breakAsync(api);
        return await CallAsync(api, ada, "GET", "/v1/blocks");
    }
}
