using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.RateLimiting;
using Messaging.Api.Security;
using Messaging.Api.Tests.Auth;
using Messaging.Api.Tests.Presence;
using Messaging.Api.Tests.Realtime;
using Messaging.Domain.Common;
using Messaging.Testing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Messaging.Api.Tests.Surface;

public sealed class RateLimitTests
{
    const int Requests = 5;

    readonly ManualTime clock = new();
    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync(
        ("Messaging:RateLimits:Enabled", "true"), ("Messaging:RateLimits:RequestsPerMinute", $"{Requests}"),
        ("Messaging:RateLimits:SendPerMinute", "1"));

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public void A_quota_is_full_again_after_its_window()
    {
        var limits = Limits(requests: 2);
        Take(limits, "user:anna", 2);
        Assert.That(limits.Requests.Take("user:anna").Allowed, Is.False);

        clock.Advance(TimeSpan.FromSeconds(60));
        Assert.That(limits.Requests.Take("user:anna").Allowed);
    }

    [Test]
    public void The_state_tells_what_remains_and_when_it_resets()
    {
        var limits = Limits(requests: 5);
        Take(limits, "user:anna", 2);
        clock.Advance(TimeSpan.FromSeconds(17.5));
        Assert.That(
            limits.Requests.Take("user:anna"),
            Is.EqualTo(new RateLimitState(
                Allowed: true, new BudgetState("requests", Quota: 5, WindowSeconds: 60, Remaining: 2, ResetSeconds: 43))));
    }

    [Test]
    public void One_caller_does_not_use_up_anothers_budget_nor_one_policy_the_others()
    {
        var limits = Limits(requests: 1, sends: 1);
        Take(limits, "user:anna", 3);
        Assert.Multiple(() =>
        {
            Assert.That(limits.Requests.Take("user:ben").Allowed);
            Assert.That(limits.Send.Take("user:anna").Allowed);
        });
    }

    [Test]
    public void A_service_key_has_ten_times_a_users_budget() =>
        Assert.That(Limits(requests: 7).Requests.Take("key:shop").Budget.Quota, Is.EqualTo(70));

    [Test]
    public void A_budget_of_its_own_has_its_own_counts()
    {
        var budget = Limits(requests: 1).Budget("log-in", 1);
        budget.Take("address:192.0.2.7");
        clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Multiple(() =>
        {
            Assert.That(budget.Take("address:192.0.2.8").Allowed);
            Assert.That(
                budget.Take("address:192.0.2.7").Problem.Detail, Is.EqualTo("More than 1 per minute (log-in); go on in 40 s."));
        });
    }

    [Test]
    public void Looking_takes_nothing_and_tells_whether_there_is_one_left()
    {
        var budget = Limits().Budget("failures", 1);
        Assert.That(budget.Look("anna").Allowed);
        budget.Take("anna");
        Assert.That(budget.Look("anna").Allowed, Is.False);

        clock.Advance(TimeSpan.FromSeconds(60));
        Assert.That(budget.Look("anna"),
            Is.EqualTo(new RateLimitState(Allowed: true, new BudgetState("failures", 1, 60, Remaining: 1, ResetSeconds: 0))));
    }

    [Test]
    public void Simultaneous_calls_take_exactly_the_quota()
    {
        var limits = Limits(requests: 500);
        var allowed = 0;
        Parallel.For(0, 2000, _ =>
        {
            if (limits.Requests.Take("user:anna").Allowed)
                Interlocked.Increment(ref allowed);
        });
        Assert.That(allowed, Is.EqualTo(500));
    }

    [Test]
    public void Memory_is_bounded_whoever_calls()
    {
        var windows = new RateLimitWindows("requests", TimeSpan.FromMinutes(1), clock, Alone());
        for (var i = 0; i < RateLimitWindows.MaxKeys * 2; i++)
            windows.Take($"address:{i}", 10);
        Assert.That(windows.Keys, Is.LessThanOrEqualTo(RateLimitWindows.MaxKeys));
    }

    [TestCase("192.0.2.7", "address:192.0.2.7")]
    [TestCase("::ffff:192.0.2.7", "address:192.0.2.7")]
    [TestCase("2001:db8:1:2:3:4:5:6", "net:20010db800010002")]
    public void Addresses_of_one_household_count_as_one(string address, string key) =>
        Assert.That(CallerKeys.AddressKey(IPAddress.Parse(address)), Is.EqualTo(key));

    [Test]
    public async Task Over_the_limit_is_429_with_headers_that_say_when_to_come_back()
    {
        var client = api.ClientFor(NewUser());
        using var first = await client.GetAsync("/v1/unread");
        for (var i = 1; i < Requests; i++)
            await client.GetAsync("/v1/unread");
        using var last = await client.GetAsync("/v1/unread");
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(first.Headers.GetValues("RateLimit-Policy"), Is.EqualTo(new[] { "\"requests\";q=5;w=60" }));
            Assert.That(first.Headers.GetValues("RateLimit").Single(), Does.Match("^\"requests\";r=4;t=(60|[1-5]?\\d)$"));
            Assert.That(last.StatusCode, Is.EqualTo(HttpStatusCode.TooManyRequests));
            Assert.That((await last.JsonAsync()).GetProperty("code").GetString(), Is.EqualTo("rate-limited"));
            Assert.That(last.Headers.GetValues("RateLimit").Single(), Does.StartWith("\"requests\";r=0;t="));
            Assert.That(last.Headers.RetryAfter!.Delta!.Value.TotalSeconds, Is.GreaterThanOrEqualTo(ResetOf(last)));
        });
    }

    [Test]
    public async Task Mentions_of_many_have_a_budget_of_their_own_within_that_of_sends()
    {
        await using var host = await ApiHost.StartAsync(
            ("Messaging:RateLimits:Enabled", "true"), ("Messaging:RateLimits:ManyMentionsPerMinute", "2"));
        var client = host.ClientFor("anna");
        var group = Guid.CreateVersion7();
        var path = $"/v1/conversations/{group}/messages";
        var edit = $"{path}/{Guid.CreateVersion7()}";
        var all = new Words("hear", ["ben", "@all"]);
        var (few, many) = (Mentioning(10), Mentioning(11));

        using var first = await client.PostAsJsonAsync(path, all);
        Assert.That(first.Headers.GetValues("RateLimit").Single(), Does.StartWith("\"many-mentions\";r=1;t=60, \"send\";r=119;"));
        Assert.That(await client.PatchAsync(edit, JsonContent.Create(many)).OutcomeAsync(), Is.EqualTo("404 not-found"));
        await using var phone = await HubClient.ConnectAsync(host.Address, ApiHost.Token("anna"));
        foreach (var one in new[] { all, many })
        {
            Assert.That(await client.PostAsJsonAsync(path, one).OutcomeAsync(), Is.EqualTo("429 rate-limited"));
            Assert.That(await client.PatchAsync(edit, JsonContent.Create(one)).OutcomeAsync(), Is.EqualTo("429 rate-limited"));
            Assert.That(
                () => phone.Connection.InvokeAsync("SendMessage", group, one),
                Throws.TypeOf<HubException>().With.Message.Contains("rate-limited"));
        }
        Assert.That(await client.PostAsJsonAsync(path, few).OutcomeAsync(), Is.EqualTo("404 not-found"));

        // Named twice they are one.
        static Words Mentioning(int people) =>
            new("hear", [.. Enumerable.Range(1, people).SelectMany(n => new[] { $"user-{n}", $"user-{n}" })]);
    }

    [Test]
    public async Task Sending_has_a_budget_of_its_own_within_that_of_requests()
    {
        var client = api.ClientFor(NewUser());
        var path = $"/v1/conversations/{Guid.CreateVersion7()}/messages";
        using var first = await client.PostAsync(path, content: null);
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(first.Headers.GetValues("RateLimit-Policy"), Is.EqualTo(new[] { "\"send\";q=1;w=60, \"requests\";q=5;w=60" }));
            Assert.That(await client.PostAsync(path, content: null).OutcomeAsync(), Is.EqualTo("429 rate-limited"));
            Assert.That(await client.GetAsync("/v1/unread").OutcomeAsync(), Is.EqualTo("200"));
        });
    }

    [Test]
    public async Task An_edit_takes_from_the_budget_of_sends()
    {
        var client = api.ClientFor(NewUser());
        var path = $"/v1/conversations/{Guid.CreateVersion7()}/messages";

        var edit = $"{path}/{Guid.CreateVersion7()}";
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(await client.PatchAsync(edit, JsonContent.Create(new { text = "a" })).OutcomeAsync(), Is.EqualTo("404 not-found"));
            Assert.That(
                await client.PatchAsync(edit, JsonContent.Create(new { text = "b" })).OutcomeAsync(), Is.EqualTo("429 rate-limited"));
            Assert.That(await client.PostAsync(path, content: null).OutcomeAsync(), Is.EqualTo("429 rate-limited"));
        });
    }

    [Test]
    public async Task Opening_a_direct_conversation_takes_from_the_budget_of_sends_if_it_carries_a_message()
    {
        var (client, ben) = (api.ClientFor(NewUser()), await KnownAsync());

        using var first = await OpenAsync(client, new { userId = ben, message = new { text = "one" } });
        using var second = await OpenAsync(client, new { userId = ben, message = new { text = "two" } });
        using var without = await OpenAsync(client, new { userId = ben });
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(first.Headers.GetValues("RateLimit-Policy"), Is.EqualTo(new[] { "\"send\";q=1;w=60, \"requests\";q=5;w=60" }));
            Assert.That(await Task.FromResult(second).OutcomeAsync(), Is.EqualTo("429 rate-limited"));
            Assert.That(without.Headers.GetValues("RateLimit-Policy"), Is.EqualTo(new[] { "\"requests\";q=5;w=60" }));
            Assert.That((await without.JsonAsync()).GetProperty("lastSeq").GetInt64(), Is.EqualTo(1));
        });
    }

    [Test]
    public async Task Opening_a_direct_conversation_takes_from_the_budget_of_sends_if_it_makes_one()
    {
        var (client, ben, carl) = (api.ClientFor(NewUser()), await KnownAsync(), await KnownAsync());

        var outcomes = new[]
        {
            await OpenAsync(client, new { userId = "nobody" }).OutcomeAsync(),
            await OpenAsync(client, new { userId = ben }).OutcomeAsync(),
            await OpenAsync(client, new { userId = carl }).OutcomeAsync(),
            await OpenAsync(client, new { userId = ben }).OutcomeAsync(),
        };

        Assert.That(outcomes, Is.EqualTo(new[] { "400 invalid-request", "201", "429 rate-limited", "200" }));
        Assert.That((await client.GetFromJsonAsync<JsonElement>("/v1/conversations")).GetProperty("items").GetArrayLength(), Is.EqualTo(1));
    }

    [Test]
    public async Task Somebody_is_not_put_out_and_brought_back_more_often_than_one_may_send()
    {
        await using var own = await ApiHost.StartAsync(
            ("Messaging:RateLimits:Enabled", "true"), ("Messaging:RateLimits:SendPerMinute", "4"));
        await own.ClientFor("ben").GetAsync("/v1/me");
        var client = own.ClientFor("anna");
        using var made = await client.PostAsJsonAsync("/v1/conversations", new { name = "Group", participantIds = new[] { "ben" } });
        var people = $"/v1/conversations/{(await made.JsonAsync()).GetProperty("id").GetString()}/participants";

        var outcomes = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            outcomes.Add(await client.DeleteAsync($"{people}/ben").OutcomeAsync());
            outcomes.Add(await client.PostAsJsonAsync(people, new { userIds = new[] { "ben" } }).OutcomeAsync());
        }

        Assert.That(outcomes, Is.EqualTo(new[] { "204", "200", "204", "429 rate-limited" }));
    }

    [Test]
    public async Task Requests_of_a_service_key_acting_as_a_user_do_not_use_the_users_own_budget()
    {
        var user = NewUser();
        var anna = api.ClientFor(user);
        await anna.GetAsync("/v1/unread");
        using var made = await api.ServiceClient().PostAsJsonAsync("/v1/admin/keys", new { name = "hooks", scopes = new[] { "webhooks" } });
        var hooks = api.ServiceClient(user, (await made.JsonAsync()).GetProperty("key").GetString()!);

        var outcomes = new List<string>();
        for (var i = 0; i <= Requests; i++)
            outcomes.Add(await hooks.GetAsync("/v1/me").OutcomeAsync());

        Assert.That(outcomes, Is.EqualTo(Enumerable.Repeat("403 scope-missing", Requests).Append("429 rate-limited")));
        Assert.That(await anna.GetAsync("/v1/unread").OutcomeAsync(), Is.EqualTo("200"));
    }

    [TestCase("POST", "/v1/conversations")]
    [TestCase("PATCH", "/v1/conversations/0193a3c2-0000-7000-8000-000000000000")]
    [TestCase("POST", "/v1/conversations/0193a3c2-0000-7000-8000-000000000000/close")]
    [TestCase("POST", "/v1/conversations/0193a3c2-0000-7000-8000-000000000000/reopen")]
    [TestCase("POST", "/v1/conversations/0193a3c2-0000-7000-8000-000000000000/archive")]
    [TestCase("POST", "/v1/conversations/0193a3c2-0000-7000-8000-000000000000/unarchive")]
    [TestCase("POST", "/v1/conversations/0193a3c2-0000-7000-8000-000000000000/owner")]
    [TestCase("POST", "/v1/conversations/0193a3c2-0000-7000-8000-000000000000/participants")]
    [TestCase("PATCH", "/v1/conversations/0193a3c2-0000-7000-8000-000000000000/participants/ben")]
    [TestCase("DELETE", "/v1/conversations/0193a3c2-0000-7000-8000-000000000000/participants/ben")]
    [TestCase("PUT", "/v1/conversations/0193a3c2-0000-7000-8000-000000000000/bans/ben")]
    [TestCase("DELETE", "/v1/conversations/0193a3c2-0000-7000-8000-000000000000/bans/ben")]
    [TestCase("POST", "/v1/contacts")]
    public async Task Requests_that_others_notice_take_from_the_budget_of_sends(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = JsonContent.Create(new { }) };

        using var answer = await api.ClientFor(NewUser()).SendAsync(request);

        Assert.That(answer.Headers.GetValues("RateLimit").Single(), Does.StartWith("\"send\";r=0;t="));
    }

    // Budgets are of one caller: tests with callers of their own share the service.
    static string NewUser() => $"user-{Guid.NewGuid():N}"[..20];

    async Task<string> KnownAsync()
    {
        var user = NewUser();
        await api.ClientFor(user).GetAsync("/v1/me");
        return user;
    }

    sealed record Words(string Text, string[] Mentions);

    static int ResetOf(HttpResponseMessage response) =>
        int.Parse(response.Headers.GetValues("RateLimit").Single().Split("t=")[1], System.Globalization.CultureInfo.InvariantCulture);

    static Task<HttpResponseMessage> OpenAsync(HttpClient client, object body) => client.PostAsJsonAsync("/v1/conversations/direct", body);

    static void Take(RateLimits limits, string key, int times)
    {
        for (var i = 0; i < times; i++)
            limits.Requests.Take(key);
    }

    RateLimits Limits(int requests = 1200, int sends = 120) =>
        new(new RateLimitSettings { RequestsPerMinute = requests, SendPerMinute = sends }, clock, Alone());

    static RateLimitExchange Alone() => new(new Network().Join("one"));
}
