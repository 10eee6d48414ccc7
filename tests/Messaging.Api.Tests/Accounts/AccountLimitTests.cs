using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;

namespace Messaging.Api.Tests.Accounts;

public sealed class AccountLimitTests
{
    const string Password = "a fox that reads at night";
    const string OtherPassword = "two owls in one old oak";

    readonly List<HttpClient> clients = [];
    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await StartAsync(("Messaging:RateLimits:Enabled", "true"));

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        clients.ForEach(client => client.Dispose());
        await api.DisposeAsync();
    }

    [Test]
    public async Task Forty_names_from_one_address_are_ten_too_many()
    {
        var outcomes = new List<string>();
        for (var i = 0; i < 40; i++)
            outcomes.Add(await LogInAsync(From("127.0.1.1"), NewName()).OutcomeAsync());

        Assert.That(outcomes.Take(30), Is.All.EqualTo("401 unauthenticated"));
        Assert.That(outcomes.Skip(30), Is.All.EqualTo("429 rate-limited"));
    }

    [Test]
    public async Task Headers_say_how_many_logins_are_left_and_when_more_are_allowed()
    {
        for (var i = 0; i < 30; i++)
            await LogInAsync(From("127.0.1.2"), NewName());

        using var refused = await LogInAsync(From("127.0.1.2"), NewName());

        Assert.That(refused.Headers.GetValues("RateLimit-Policy").Single(), Does.StartWith("\"login\";q=30;w=60, "));
        Assert.That(refused.Headers.GetValues("RateLimit").Single(), Does.Match("^\"login\";r=0;t=\\d+, "));
        Assert.That(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, Is.InRange(1, 60));
    }

    [TestCase("", "msk_none_0123456789abcdef0123456789abcdef")]
    [TestCase("/login", "msk_none_0123456789abcdef0123456789abcdef")]
    [TestCase("/refresh", "nonsense")]
    [TestCase("/logout", "nonsense")]
    public async Task A_key_that_nobody_was_given_is_refused(string path, string key)
    {
        var client = From("127.0.1.9");
        client.DefaultRequestHeaders.Add("X-Api-Key", key);

        var body = new { username = NewName(), password = Password };
        Assert.That(await client.PostAsJsonAsync($"/v1/accounts{path}", body).OutcomeAsync(), Is.EqualTo("401 unauthenticated"));
    }

    [Test]
    public async Task A_token_does_not_get_an_address_around_its_budget()
    {
        for (var i = 0; i < 30; i++)
            await LogInAsync(From("127.0.1.3"), NewName());

        var client = From("127.0.1.3");
        client.DefaultRequestHeaders.Add("Authorization", $"Bearer {ApiHost.Token("anna")}");

        Assert.That(await LogInAsync(client, NewName()).OutcomeAsync(), Is.EqualTo("429 rate-limited"));
    }

    [Test]
    public async Task A_service_that_logs_its_users_in_has_ten_times_as_much()
    {
        var client = From("127.0.1.4");
        client.DefaultRequestHeaders.Add("X-Api-Key", ApiHost.ServiceKey);

        using var refused = await LogInAsync(client, NewName());

        Assert.That(refused.Headers.GetValues("RateLimit-Policy").Single(), Does.StartWith("\"login\";q=300;w=60, "));
    }

    [Test]
    public async Task Registrations_are_counted_by_address_and_by_name()
    {
        var name = NewName();
        var outcomes = new List<string>();
        for (var i = 0; i < 11; i++)
            outcomes.Add(await RegisterAsync(From($"127.0.2.{i + 1}"), i % 2 == 0 ? name : name.ToUpperInvariant()).OutcomeAsync());
        using var other = await RegisterAsync(From("127.0.2.1"), NewName());

        Assert.That(outcomes, Is.EqualTo(new[] { "201" }.Concat(Enumerable.Repeat("409 already-exists", 9)).Append("429 rate-limited")));
        Assert.That(other.Headers.GetValues("RateLimit-Policy").Single(),
            Does.StartWith("\"registration-name\";q=10;w=60, \"registration\";q=20;w=60, "));
        Assert.That(other.Headers.GetValues("RateLimit").Single(), Does.Contain("\"registration\";r=18;"));
    }

    [Test]
    public async Task Refreshes_are_counted_by_address_and_by_login()
    {
        var token = await RegisteredAsync("127.0.3.1", NewName());
        for (var i = 0; i < 10; i++)
            token = await RefreshTokenOfAsync(await RefreshAsync(From($"127.0.3.{i + 2}"), token));

        using var refused = await RefreshAsync(From("127.0.3.2"), token);

        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.TooManyRequests));
        Assert.That(refused.Headers.GetValues("RateLimit-Policy").Single(),
            Does.StartWith("\"refresh-login\";q=10;w=60, \"refresh\";q=300;w=60, "));
        Assert.That(refused.Headers.GetValues("RateLimit").Single(), Does.Match("^\"refresh-login\";r=0;t=\\d+, \"refresh\";r=298;"));
    }

    [Test]
    public async Task A_locked_name_tells_its_budget_and_the_device_of_its_owner_logs_in()
    {
        var name = NewName();
        var device = await RegisteredAsync("127.0.4.1", name);
        for (var i = 0; i < 10; i++)
            await LogInAsync(From($"127.0.4.{i + 2}"), name, OtherPassword);

        using var refused = await LogInAsync(From("127.0.4.1"), name);

        Assert.That(refused.Headers.GetValues("RateLimit-Policy").Single(), Does.StartWith("\"login-failures\";q=10;w=900, \"login\";"));
        Assert.That(refused.Headers.GetValues("RateLimit").Single(),
            Does.StartWith($"\"login-failures\";r=0;t={refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds}, "));
        Assert.That(await LogInAsync(From("127.0.4.1"), name, device: device).OutcomeAsync(), Is.EqualTo("200"));
    }

    [Test]
    public async Task Strangers_at_the_same_address_do_not_use_up_the_budget_of_a_known_device()
    {
        var name = NewName();
        var device = await RegisteredAsync("127.0.7.1", name);
        for (var i = 0; i < 30; i++)
            await LogInAsync(From("127.0.7.1"), NewName(), device: device);

        Assert.That(await LogInAsync(From("127.0.7.1"), NewName(), device: device).OutcomeAsync(), Is.EqualTo("429 rate-limited"));
        Assert.That(await LogInAsync(From("127.0.7.1"), name, device: device).OutcomeAsync(), Is.EqualTo("200"));
    }

    [Test]
    public async Task Known_devices_are_counted_by_address_too()
    {
        var name = NewName();
        var device = await RegisteredAsync("127.0.8.1", name);
        for (var i = 0; i < 60; i++)
            device = await RefreshTokenOfAsync(await LogInAsync(From("127.0.8.2"), name, device: device));

        Assert.That(await LogInAsync(From("127.0.8.2"), name, device: device).OutcomeAsync(), Is.EqualTo("429 rate-limited"));
        Assert.That(await LogInAsync(From("127.0.8.1"), name, device: device).OutcomeAsync(), Is.EqualTo("200"));
    }

    [Test]
    public async Task Changing_ones_password_has_a_budget_by_user()
    {
        var outcomes = new List<string>();
        for (var i = 0; i < 11; i++)
            outcomes.Add(await ChangePasswordAsync(From($"127.0.9.{i + 1}"), "greta").OutcomeAsync());

        Assert.That(outcomes, Is.EqualTo(Enumerable.Repeat("404 not-found", 10).Append("429 rate-limited")));
        Assert.That(await ChangePasswordAsync(From("127.0.9.1"), "hedda").OutcomeAsync(), Is.EqualTo("404 not-found"));
    }

    [Test]
    public async Task A_refresh_token_that_is_none_is_no_reason_to_refuse_a_login()
    {
        var name = NewName();
        await RegisteredAsync("127.0.5.1", name);

        Assert.That(await LogInAsync(From("127.0.5.1"), name, device: "nonsense").OutcomeAsync(), Is.EqualTo("200"));
    }

    [Test]
    public async Task A_hundred_and_fifty_attempts_from_one_address_keep_nobody_elsewhere_waiting()
    {
        // Dear hashes, and no budget but that of the queue.
        await using var busy = await StartAsync(("Messaging:Accounts:HashIterations", "100000"));
        var name = NewName();
        (await RegisterAsync(From("127.0.6.1", busy), name)).EnsureSuccessStatusCode();

        var crowd = Enumerable.Range(0, 150).Select(i => LogInAsync(From("127.0.6.2", busy), $"nobody_{i}").OutcomeAsync()).ToArray();
        await Task.WhenAny(crowd);

        Assert.That(await LogInAsync(From("127.0.6.1", busy), name).OutcomeAsync(), Is.EqualTo("200"));
        Assert.That(await Task.WhenAll(crowd), Is.All.EqualTo("401 unauthenticated").Or.EqualTo("429 rate-limited"));
        Assert.That(await Task.WhenAll(crowd), Has.Some.EqualTo("429 rate-limited"));
    }

    [Test]
    public async Task The_known_devices_of_one_address_wait_in_one_queue()
    {
        await using var busy = await StartAsync(
            ("Messaging:Accounts:HashIterations", "100000"), ("Messaging:Accounts:HashQueuePerAddress", "2"));
        var name = NewName();
        (await RegisterAsync(From("127.0.10.1", busy), name)).EnsureSuccessStatusCode();
        var devices = new List<string>();
        for (var i = 0; i < 20; i++)
            devices.Add(await RefreshTokenOfAsync(await LogInAsync(From("127.0.10.1", busy), name)));

        var outcomes = await Task.WhenAll(
            devices.Select(device => LogInAsync(From("127.0.10.2", busy), name, device: device).OutcomeAsync()));

        Assert.That(outcomes, Is.All.EqualTo("200").Or.EqualTo("429 rate-limited"));
        Assert.That(outcomes, Has.Some.EqualTo("429 rate-limited"));
    }

    static Task<ApiHost> StartAsync(params (string Name, string? Value)[] settings) => ApiHost.StartAsync(
        [("Messaging:Accounts:Enabled", "true"), ("Messaging:Accounts:HashIterations", "10"), .. settings]);

    // All of 127.0.0.0/8 is this machine.
    HttpClient From(string address, ApiHost? on = null)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, ct) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, ct);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        var client = new HttpClient(handler) { BaseAddress = (on ?? api).Address };
        clients.Add(client);
        return client;
    }

    static Task<HttpResponseMessage> LogInAsync(HttpClient client, string username, string password = Password, string? device = null) =>
        client.PostAsJsonAsync("/v1/accounts/login", new { username, password, refreshToken = device });

    static Task<HttpResponseMessage> RegisterAsync(HttpClient client, string username) =>
        client.PostAsJsonAsync("/v1/accounts", new { username, password = Password });

    static Task<HttpResponseMessage> RefreshAsync(HttpClient client, string refreshToken) =>
        client.PostAsJsonAsync("/v1/accounts/refresh", new { refreshToken });

    static Task<HttpResponseMessage> ChangePasswordAsync(HttpClient client, string user)
    {
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ApiHost.Token(user));
        return client.PostAsJsonAsync("/v1/accounts/password", new { currentPassword = Password, newPassword = OtherPassword });
    }

    async Task<string> RegisteredAsync(string address, string name) => await RefreshTokenOfAsync(await RegisterAsync(From(address), name));

    static async Task<string> RefreshTokenOfAsync(HttpResponseMessage response)
    {
        using (response)
            return (await response.JsonAsync()).GetProperty("refreshToken").GetString()!;
    }

    static string NewName() => $"anna_{Guid.NewGuid():N}"[..20];
}
