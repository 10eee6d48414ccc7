using System.Net.Http.Json;
using Messaging.Application.Revocations;
using Messaging.Domain.Common;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Auth;

/// <summary>How long a node goes by what it remembers of tokens and of what was revoked.</summary>
public sealed class RememberedTokenTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(10);

    private readonly ManualTime time = new();
    private ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync(time);

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task A_token_is_looked_up_again_after_an_hour()
    {
        var (user, client) = await SeenAsync();
        // As from a dump of another server: asked for with the token, and told to no node.
        await ExecuteAsync($"INSERT INTO revocations (kind, subject, xact) VALUES ('tokens', '{user}', '9000000000000')");

        time.Advance(TimeSpan.FromMinutes(59));
        var before = await MeAsync(client);
        time.Advance(TimeSpan.FromMinutes(1));

        Assert.That((before, await MeAsync(client)), Is.EqualTo(("200", "401 unauthenticated")));
    }

    [Test]
    public async Task A_token_that_was_revoked_stays_refused_for_as_long_as_a_node_may_remember_it()
    {
        var (user, client) = await SeenAsync();
        await RevokeAsync(user);
        var outcomes = new List<string>();
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromHours(4); passed += Step)
        {
            time.Advance(Step);
            // What is new has the list forget what is old.
            await RevokeAsync(NewUser());
            outcomes.Add(await MeAsync(client));
        }
        Assert.That(outcomes, Is.All.EqualTo("401 unauthenticated"));
    }

    [Test]
    public async Task A_revocation_read_again_because_of_a_long_transaction_closes_no_new_connection()
    {
        var user = NewUser();
        await using var connection = await api.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var number = new Npgsql.NpgsqlCommand("SELECT pg_current_xact_id()", connection, transaction))
            await number.ExecuteScalarAsync();
        await RevokeAsync(user);
        await UntilReadAsync();
        var token = ApiHost.Token(user, null, ("iat", DateTimeOffset.UtcNow.AddSeconds(1).ToUnixTimeSeconds()));
        await using var phone = await HubClient.ConnectAsync(api.Address, token);

        time.Advance(RevocationList.KeptFor + Step);
        await UntilReadAsync();
        await UntilReadAsync();

        await ExecuteAsync($"INSERT INTO outbox (occurred_at, user_id, type, payload) VALUES (now(), '{user}', 'test:event', '{{}}')");
        await phone.NextAsync("test:event");
    }

    private static string NewUser() => $"user-{Guid.NewGuid():N}";

    private static Task<string> MeAsync(HttpClient client) => client.GetAsync("/v1/me").OutcomeAsync();

    private async Task<(string User, HttpClient Client)> SeenAsync()
    {
        var user = NewUser();
        var client = api.ClientFor(user);
        Assert.That(await MeAsync(client), Is.EqualTo("200"));
        return (user, client);
    }

    private NodaTime.Instant? EndedAt(string user) => api.Services.GetRequiredService<RevocationList>().TokensEndedAt(new UserId(user));

    private async Task RevokeAsync(string user) =>
        Assert.That(await api.ServiceClient().PostAsync($"/v1/users/{user}/tokens/revoke", null).OutcomeAsync(), Is.EqualTo("204"));

    private async Task ExecuteAsync(string sql) => await api.Database.RowsAsync(sql, _ => 0);

    // What is written past the service is known by reading alone.
    private async Task UntilReadAsync()
    {
        var user = NewUser();
        await ExecuteAsync($"INSERT INTO revocations (kind, subject) VALUES ('tokens', '{user}')");
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (EndedAt(user) is null)
            await timer.WaitForNextTickAsync(patience.Token);
    }
}
