using System.Reflection;
using Messaging.Api.Auth;
using Messaging.Api.RateLimiting;
using Messaging.Api.Realtime;
using Messaging.Testing;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Surface;

/// <summary>Whatever writes takes from the budget of sends, is the service's alone, or says why that of requests is enough.</summary>
public sealed class SendLimitTests
{
    private ApiHost api = null!;
    private List<RouteEndpoint> writing = [];

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        api = await ApiHost.StartAsync(
            ("Messaging:Accounts:Enabled", "true"), ("Messaging:RateLimits:Enabled", "true"), ("Messaging:RateLimits:SendPerMinute", "1"));
        writing =
        [
            .. api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
                .Where(endpoint => !MessagingHub.IsAt($"/{endpoint.RoutePattern.RawText!.Trim('/')}"))
                .Where(endpoint => endpoint.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods
                    .Any(method => method is not ("GET" or "HEAD"))),
        ];
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public void Every_endpoint_that_writes_takes_from_the_budget_of_sends_or_has_a_reason_not_to()
    {
        Assert.That(writing, Is.Not.Empty);
        Assert.That(writing.Where(endpoint => !Sends(endpoint) && !HasReason(endpoint)).Select(endpoint => endpoint.DisplayName), Is.Empty);
    }

    [Test]
    public void No_endpoint_has_a_reason_not_to_take_what_it_takes() => Assert.That(
        writing.Where(endpoint => Sends(endpoint) && HasReason(endpoint)).Select(endpoint => endpoint.DisplayName), Is.Empty);

    [Test]
    public async Task Every_hub_method_takes_from_the_budget_of_sends_or_has_a_reason_not_to()
    {
        await api.ClientFor("anna").PostAsync($"/v1/conversations/{Guid.CreateVersion7()}/messages", content: null);
        await using var phone = await HubClient.ConnectAsync(api.Address, ApiHost.Token("anna"));
        var methods = typeof(MessagingHub).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(method => method.GetBaseDefinition() == method).ToList();

        var others = new List<string>();
        foreach (var method in methods)
        {
            if ((await RefusalAsync(phone.Connection, method))?.Contains("rate-limited", StringComparison.Ordinal) != true)
                others.Add(method.Name);
        }

        var excused = methods.Where(method => method.IsDefined(typeof(WithoutSendLimitAttribute)));
        Assert.That(others, Is.EquivalentTo(excused.Select(method => method.Name)));
    }

    private static bool Sends(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<SendLimit>() is not null;

    private static bool HasReason(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<WithoutSendLimitAttribute>() is not null
        || endpoint.Metadata.GetMetadata<ScopeRequirement>() is { ServiceOnly: true };

    // Without arguments that are any good: what is counted is counted before they are looked at.
    private static async Task<string?> RefusalAsync(HubConnection connection, MethodInfo method)
    {
        var nothing = new object?[method.GetParameters().Length];
        try
        {
            if (method.ReturnType.ToString().Contains(nameof(IAsyncEnumerable<>), StringComparison.Ordinal))
                await foreach (var _ in connection.StreamAsyncCore<object>(method.Name, nothing))
                    break;
            else
                await connection.InvokeCoreAsync(method.Name, nothing);
            return null;
        }
        catch (HubException e)
        {
            return e.Message;
        }
    }
}
