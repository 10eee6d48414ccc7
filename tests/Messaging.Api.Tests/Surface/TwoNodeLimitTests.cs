using System.Net;
using System.Text.Json;
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
    public async Task A_burst_on_both_at_once_gets_the_budget_and_no_tenth_more()
    {
        var admitted = await Task.WhenAll(nodes.Select(node => BurstAsync(node, "anna", 2 * Quota)));

        Assert.That(admitted.Sum(), Is.InRange(Quota, Quota * 1.1));
    }

    [Test]
    public async Task A_burst_on_one_gets_nine_tenths_of_the_budget_or_more() =>
        Assert.That(await BurstAsync(nodes[0], "ben", 2 * Quota), Is.InRange(Quota * 0.9, Quota * 1.1));

    [Test]
    public async Task Messages_sent_over_the_hub_of_one_count_on_the_other()
    {
        await using var phone = await HubClient.ConnectAsync(nodes[1].Address, ApiHost.Token("carl"));
        for (var i = 0; i < Quota; i++)
            Assert.That(async () => await phone.SendMessageAsync(Guid.CreateVersion7(), new { text = "x" }), Throws.TypeOf<HubException>());

        Assert.That(await BurstAsync(nodes[0], "carl", Quota), Is.LessThanOrEqualTo(Quota * 0.1));
    }

    [Test]
    public async Task Passwords_are_guessed_no_faster_on_two_nodes()
    {
        var admitted = await Task.WhenAll(nodes.Select(node => BurstAsync(
            node.AnonymousClient(), "/v1/accounts/login", """{"username":"dora","password":""}""", 2 * Quota)));

        Assert.That(admitted.Sum(), Is.InRange(Quota * 0.9, Quota * 1.1));
    }

    static Task<int> BurstAsync(ApiHost node, string user, int times) =>
        BurstAsync(node.ClientFor(user), $"/v1/conversations/{Guid.CreateVersion7()}/messages", "", times);

    static async Task<int> BurstAsync(HttpClient client, string path, string body, int times)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, times).Select(async _ =>
        {
            using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
            using var answer = await client.PostAsync(path, content);
            return answer.StatusCode;
        }));
        return answers.Count(status => status is not HttpStatusCode.TooManyRequests);
    }
}
