using System.Net;
using Messaging.Api.RateLimiting;
using Messaging.Testing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Surface;

/// <summary>One user's budgets on two nodes.</summary>
[Category("MultiNode")]
public sealed class TwoNodeLimitTests
{
    const int Quota = 60;

    ApiHost[] nodes = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        var first = await ApiHost.StartAsync(
            ("Messaging:RateLimits:Enabled", "true"), ("Messaging:RateLimits:SendPerMinute", $"{Quota}"),
            ("Messaging:RateLimits:LogInsPerMinute", $"{Quota}"), ("Messaging:Accounts:Enabled", "true"));
        nodes = [first, first.StartAnother()];
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (nodes.Any(node => node.Services.GetRequiredService<RateLimitExchange>().Nodes < 2))
            await timer.WaitForNextTickAsync(patience.Token);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        foreach (var node in nodes.Reverse())
            await node.DisposeAsync();
    }

    [Test]
    public async Task Bursts_on_both_at_once_get_the_budget_and_no_tenth_more()
    {
        var admitted = await Task.WhenAll(nodes.Select(node => UseUpAsync(node, "anna")));

        Assert.That(admitted.Sum(), Is.InRange(Quota, Quota * 1.1));
    }

    [Test]
    public async Task A_burst_on_one_gets_nine_tenths_of_the_budget_or_more() =>
        Assert.That(await UseUpAsync(nodes[0], "ben"), Is.InRange(Quota * 0.9, Quota * 1.1));

    [Test]
    public async Task Messages_sent_over_the_hub_of_one_count_on_the_other()
    {
        await using var phone = await HubClient.ConnectAsync(nodes[1].Address, ApiHost.Token("carl"));
        var admitted = 0;
        while (admitted < Quota / 2)
        {
            var refusal = await Assert.ThrowsAsync<HubException>(() => phone.SendMessageAsync(Guid.CreateVersion7(), new { text = "x" }));
            admitted += refusal!.Message.Contains("not-found", StringComparison.Ordinal) ? 1 : 0;
        }

        Assert.That(admitted + await UseUpAsync(nodes[0], "carl"), Is.InRange(Quota * 0.9, Quota * 1.1));
    }

    [Test]
    public async Task Passwords_are_guessed_no_faster_on_two_nodes()
    {
        var admitted = await Task.WhenAll(nodes.Select(node => UseUpAsync(
            node.AnonymousClient(), "/v1/accounts/login", """{"username":"dora","password":""}""")));

        Assert.That(admitted.Sum(), Is.InRange(Quota * 0.9, Quota * 1.1));
    }

    static Task<int> UseUpAsync(ApiHost node, string user) =>
        UseUpAsync(node.ClientFor(user), $"/v1/conversations/{Guid.CreateVersion7()}/messages", "");

    // All at once, again and again, until a refusal says that there are no more in this minute.
    static async Task<int> UseUpAsync(HttpClient client, string path, string body)
    {
        var admitted = 0;
        while (true)
        {
            var waits = await Task.WhenAll(Enumerable.Range(0, Quota).Select(_ => WaitAsync(client, path, body)));
            admitted += waits.Count(wait => wait is null);
            if (waits.Any(wait => wait > TimeSpan.FromSeconds(1)))
                return admitted;
        }
    }

    // Null when it was admitted.
    static async Task<TimeSpan?> WaitAsync(HttpClient client, string path, string body)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(path, content);
        return answer.StatusCode is HttpStatusCode.TooManyRequests ? answer.Headers.RetryAfter!.Delta : null;
    }
}
