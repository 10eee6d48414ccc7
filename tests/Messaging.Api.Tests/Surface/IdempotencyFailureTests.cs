using Messaging.Api.Tests.Auth;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Tests.Surface;

public sealed class IdempotencyFailureTests
{
    readonly Queue<Func<IResult>> outcomes = new();
    TestDatabase database = null!;
    SurfaceHost host = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        database = await TestDatabaseServer.CreateDatabaseAsync(Slices.MigrateAsync);
        host = await SurfaceHost.StartAsync(
            routes => routes.MapPost("/v1/effects", async (DbSession session, CancellationToken ct) =>
            {
                await session.ExecuteAsync(
                    "INSERT INTO users (id, created_at, updated_at) VALUES (gen_random_uuid()::text, now(), now())", null, ct);
                return outcomes.Dequeue()();
            }).RequireAuthorization(),
            database.ConnectionString);
        host.Client.DefaultRequestHeaders.Add("X-Api-Key", ApiHost.ServiceKey);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await host.DisposeAsync();
        await database.DisposeAsync();
    }

    [SetUp]
    public async Task ForgetAsync()
    {
        await using var command = database.DataSource.CreateCommand("TRUNCATE users, idempotency_keys CASCADE");
        await command.ExecuteNonQueryAsync();
        outcomes.Clear();
    }

    [Test]
    public async Task A_failure_of_the_service_is_not_remembered_and_a_repeat_succeeds() =>
        Assert.That(await OutcomesAsync(() => throw new InvalidOperationException("defect"), Done), Is.EqualTo("500 internal, 200; 1"));

    [Test]
    public async Task Being_over_a_limit_is_not_remembered() => Assert.That(
        await OutcomesAsync(() => throw new RuleException(new Problem(ProblemCodes.RateLimited, "Slow mode.")), Done),
        Is.EqualTo("429 rate-limited, 200; 1"));

    [Test]
    public async Task A_refusal_is_remembered_without_its_effect() => Assert.That(
        await OutcomesAsync(() => throw CommonErrors.NotFound(), Done), Is.EqualTo("404 not-found, 404 not-found; 0"));

    [Test]
    public async Task A_refusal_by_status_alone_is_remembered_with_its_body() => Assert.That(
        await OutcomesAsync(() => TypedResults.NotFound(), Done), Is.EqualTo("404 not-found, 404 not-found; 1"));

    [Test]
    public async Task A_change_that_was_outrun_is_tried_again_within_the_same_request()
    {
        outcomes.Enqueue(() => throw new ChangedMeanwhileException());
        Assert.That(await OutcomesAsync(Done), Is.EqualTo("200; 1"));
    }

    static Ok<string> Done() => TypedResults.Ok("done");

    /// <summary>Sends one request with the same key per outcome; tells the answers and the number of effects that stayed.</summary>
    async Task<string> OutcomesAsync(params Func<IResult>[] each)
    {
        var answers = new List<string>();
        Array.ForEach(each, outcomes.Enqueue);
        foreach (var _ in each)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/effects") { Headers = { { "Idempotency-Key", "one" } } };
            answers.Add(await host.Client.SendAsync(request).OutcomeAsync());
        }
        await using var command = database.DataSource.CreateCommand("SELECT count(*) FROM users");
        return $"{string.Join(", ", answers)}; {await command.ExecuteScalarAsync()}";
    }
}
