using System.Net;

namespace Messaging.Api.Tests.Events;

/// <summary>Two commands at a time that change what is unread for one user, in all pairs, while everybody listens.</summary>
public sealed class PairTests : ReplayFixture
{
    private const int Rounds = 250;

    protected override IEnumerable<(string Name, string? Value)> Settings() =>
        [("Messaging__RateLimits__SendPerMinute", "100000"), ("Messaging__RateLimits__RequestsPerMinute", "1000000")];

    [Test]
    public Task Whatever_meets_is_told_as_it_is_in_the_end() => ReplayAsync(
        async (users, group) =>
        {
            var (random, ids) = (TestContext.CurrentContext.Random, new List<string>());
            for (var i = 0; i < 5; i++)
                ids.Add(await SentAsync(users[0], group, new { text = $"{i}" }));
            for (var i = 0; i < Rounds; i++)
            {
                var (one, other) = (Command(users, group, ids, random), Command(users, group, ids, random));
                var (first, second) = (random.Next(10), random.Next(10));
                await Task.WhenAll(AfterAsync(first, one), AfterAsync(second, other));
            }
        },
        live: true);

    private static async Task AfterAsync(int milliseconds, Func<Task> command)
    {
        await Task.Delay(milliseconds);
        await command();
    }

    // Of ada, who writes, and of bob, for whom it is unread.
    private Func<Task> Command(string[] users, string group, List<string> ids, NUnit.Framework.Internal.Randomizer random)
    {
        var (ada, bob, path) = (users[0], users[1], $"/v1/conversations/{group}");
        var (id, seq) = (ids[random.Next(Math.Max(ids.Count - 6, 0), ids.Count)], random.Next(1, ids.Count + 4));
        return random.Next(12) switch
        {
            0 or 1 => () => SendsAsync(ada, new { text = "?" }),
            2 => () => SendsAsync(ada, new { text = "?", mentions = new[] { bob } }),
            3 => () => SendsAsync(bob, new { text = "!" }),
            4 => () => TryAsync(bob, HttpMethod.Post, $"{path}/read", "{}"),
            5 => () => TryAsync(bob, HttpMethod.Post, $"{path}/read", $$"""{"seq":{{seq}}}"""),
            6 => () => TryAsync(bob, HttpMethod.Post, $"{path}/unread", $$"""{"seq":{{seq}}}"""),
            7 => () => TryAsync(ada, HttpMethod.Patch, $"{path}/messages/{id}", $$"""{"mentions":["{{bob}}"]}"""),
            8 => () => TryAsync(ada, HttpMethod.Patch, $"{path}/messages/{id}", """{"mentions":null}"""),
            9 => () => TryAsync(ada, HttpMethod.Delete, $"{path}/messages/{id}"),
            10 => () => TryAsync(bob, HttpMethod.Delete, $"{path}/messages/{id}?scope=me"),
            _ => () => TryAsync(bob, HttpMethod.Delete, $"{path}/history"),
        };

        async Task SendsAsync(string user, object message)
        {
            var sent = await SentAsync(user, group, message);
            lock (ids)
                ids.Add(sent);
        }
    }

    // What is gone already is refused.
    private async Task TryAsync(string user, HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        var answer = await Api.ClientFor(user).SendAsync(request);
        Assert.That(answer.StatusCode, Is.LessThan(HttpStatusCode.InternalServerError).And.Not.EqualTo(HttpStatusCode.MethodNotAllowed));
    }
}
