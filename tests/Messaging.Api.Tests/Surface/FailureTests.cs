using System.Net;
using Messaging.Api.Tests.Auth;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Database;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace Messaging.Api.Tests.Surface;

public sealed class FailureTests
{
    SurfaceHost host = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => host = await SurfaceHost.StartAsync(routes =>
    {
        routes.MapGet("/defect", IResult () => throw new InvalidOperationException("the inner workings"));
        routes.MapGet("/changed", IResult () => throw new ChangedMeanwhileException());
        routes.MapGet("/bare/{status:int}", (int status) => TypedResults.StatusCode(status));
        routes.MapGet("/limited",
            IResult () => throw new RuleException(new Problem(ProblemCodes.RateLimited, "Slow mode.") { RetryAfterSeconds = 7 }));
        routes.MapGet("/many", IResult () => throw new RuleException(
            [new Problem(ProblemCodes.InvalidRequest, "one", "a"), new Problem(ProblemCodes.InvalidRequest, "two", "b/0")]));
        routes.MapGet("/waiting", async (HttpContext context) => await new TaskCompletionSource().Task.WaitAsync(context.RequestAborted));
    });

    [OneTimeTearDown]
    public async Task StopAsync() => await host.DisposeAsync();

    [Test]
    public async Task A_defect_is_500_without_its_details_and_logged_with_them()
    {
        using var response = await host.Client.GetAsync("/defect");
        var body = await response.Content.ReadAsStringAsync();
        Assert.Multiple(() =>
        {
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));
            Assert.That(body, Does.Contain("\"internal\"").And.Not.Contain("inner workings"));
            Assert.That(host.Logs.Lines, Has.Some.Contains("inner workings"));
        });
    }

    [Test]
    public async Task A_change_that_lost_every_attempt_is_answered_as_unavailable() =>
        Assert.That(await host.Client.GetAsync("/changed").OutcomeAsync(), Is.EqualTo("503 unavailable"));

    [TestCase(401, "unauthenticated")]
    [TestCase(403, "not-allowed")]
    [TestCase(404, "not-found")]
    [TestCase(408, "request-timeout")]
    [TestCase(413, "too-large")]
    [TestCase(415, "unsupported-media")]
    [TestCase(429, "rate-limited")]
    [TestCase(503, "unavailable")]
    public async Task No_refusal_has_an_empty_body(int status, string code) =>
        Assert.That(await host.Client.GetAsync($"/bare/{status}").OutcomeAsync(), Is.EqualTo($"{status} {code}"));

    [Test]
    public async Task A_rule_that_knows_when_to_come_back_says_so()
    {
        using var response = await host.Client.GetAsync("/limited");
        Assert.That(response.Headers.RetryAfter?.Delta, Is.EqualTo(TimeSpan.FromSeconds(7)));
    }

    [Test]
    public async Task All_that_is_wrong_is_said_at_once() =>
        Assert.That(await host.Client.GetAsync("/many").PointersAsync(), Is.EqualTo("#/a #/b/0"));

    [Test]
    public async Task A_client_that_goes_away_is_no_error()
    {
        using var impatience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.CatchAsync<OperationCanceledException>(() => host.Client.GetAsync("/waiting", impatience.Token));
        Assert.Multiple(() =>
        {
            Assert.That(() => host.Logs.Lines, Has.Some.Contains("/waiting: the client went away").After(10_000, 20));
            Assert.That(host.Logs.Lines, Has.None.Contains("/waiting failed"));
        });
    }

    [TestCase("57P01", true)]
    [TestCase("57014", true)]
    [TestCase("53300", true)]
    [TestCase("08006", true)]
    [TestCase("25006", true)]
    [TestCase("23505", false)]
    [TestCase("42601", false)]
    public void The_state_tells_a_database_that_is_away_from_a_wrong_statement(string state, bool away) =>
        Assert.That(DatabaseFailures.IsAway(new PostgresException("message", "ERROR", "ERROR", state)), Is.EqualTo(away));

    [Test]
    public void A_pool_without_a_free_connection_counts_as_away() =>
        Assert.That(DatabaseFailures.IsAway(new NpgsqlException("The connection pool has been exhausted", new TimeoutException())));
}
