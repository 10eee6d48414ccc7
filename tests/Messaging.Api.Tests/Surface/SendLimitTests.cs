using System.Reflection;
using System.Text.RegularExpressions;
using Messaging.Api.RateLimiting;
using Messaging.Api.Realtime;
using Messaging.Testing;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Surface;

/// <summary>Whatever writes takes from the budget of sends, or stands here with the reason why that of requests is enough.</summary>
public sealed partial class SendLimitTests
{
    private const string ByTheService = "the service alone may";
    private const string OwnBudget = "has a budget of its own";
    private const string OwnState = "changes what is one's own; of others' screens at most a pointer, which only rises";
    private const string Small = "one click, no words and no notification; there are many a minute in a lively group";
    private const string Once = "answers what another one has asked, once";

    private static readonly Dictionary<string, string> Endpoints = new(StringComparer.Ordinal)
    {
        ["PUT /v1/users/{userId}"] = ByTheService,
        ["PUT /v1/users"] = ByTheService,
        ["POST /v1/users/{userId}/tokens"] = ByTheService,
        ["POST /v1/users/{userId}/tokens/revoke"] = ByTheService,
        ["POST /v1/admin/keys"] = ByTheService,
        ["DELETE /v1/admin/keys/{id}"] = ByTheService,
        ["POST /v1/accounts"] = OwnBudget,
        ["POST /v1/accounts/login"] = OwnBudget,
        ["POST /v1/accounts/refresh"] = OwnBudget,
        ["POST /v1/accounts/logout"] = OwnState,
        ["POST /v1/accounts/password"] = OwnBudget,
        ["PATCH /v1/me"] = "nobody is told",
        ["POST /v1/conversations/direct"] = "takes by itself when it makes a conversation or sends a message; most calls find one",
        ["DELETE /v1/conversations/{id}"] = "once for a conversation, which took one when it was made",
        ["POST /v1/conversations/{id}/leave"] = "who wants to go can; coming back takes somebody else's budget",
        ["POST /v1/conversations/{id}/read"] = OwnState,
        ["POST /v1/conversations/{id}/delivered"] = OwnState,
        ["POST /v1/conversations/{id}/unread"] = OwnState,
        ["PATCH /v1/conversations/{id}/settings"] = OwnState,
        ["DELETE /v1/conversations/{id}/history"] = OwnState,
        ["POST /v1/conversations/{id}/typing"] = "said every few seconds while one writes, and gone by itself",
        ["DELETE /v1/conversations/{id}/messages/{messageId}"] = "once for a message, which took one when it was sent",
        ["POST /v1/conversations/{id}/messages/{messageId}/report"] = "for the moderators, and one of each message",
        ["PUT /v1/conversations/{id}/messages/{messageId}/reactions/{emoji}"] = Small,
        ["DELETE /v1/conversations/{id}/messages/{messageId}/reactions/{emoji}"] = Small,
        ["PUT /v1/conversations/{id}/messages/{messageId}/pin"] = Small,
        ["DELETE /v1/conversations/{id}/messages/{messageId}/pin"] = Small,
        ["PUT /v1/conversations/{id}/messages/{messageId}/saved"] = OwnState,
        ["DELETE /v1/conversations/{id}/messages/{messageId}/saved"] = OwnState,
        ["POST /v1/contacts/{userId}/accept"] = Once,
        ["POST /v1/contacts/{userId}/decline"] = Once,
        ["DELETE /v1/contacts/{userId}"] = "once for a contact, which took one when it was asked",
        ["PUT /v1/blocks/{userId}"] = "told to one's own devices alone",
        ["DELETE /v1/blocks/{userId}"] = "told to one's own devices alone",
        ["POST /v1/message-requests/{requestId}/accept"] = Once,
        ["POST /v1/message-requests/{requestId}/decline"] = Once,
        ["POST /v1/attachments"] = "seen by others when a message names it, which takes one; its bytes are limited by the day",
    };

    private static readonly Dictionary<string, string> HubMethods = new(StringComparer.Ordinal)
    {
        [nameof(MessagingHub.MarkRead)] = OwnState,
        [nameof(MessagingHub.AckDelivered)] = OwnState,
        [nameof(MessagingHub.Typing)] = "said every few seconds while one writes, and gone by itself",
        [nameof(MessagingHub.SetAway)] = "heard by those alone who watch one's presence",
        [nameof(MessagingHub.WatchPresence)] = "reads",
        [nameof(MessagingHub.Resume)] = "reads",
    };

    [Test]
    public async Task Every_endpoint_that_writes_takes_from_the_budget_of_sends_or_has_a_reason_not_to()
    {
        await using var api = await ApiHost.StartAsync(("Messaging:Accounts:Enabled", "true"));
        var others = api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => !MessagingHub.IsAt(Route(endpoint)) && endpoint.Metadata.GetMetadata<SendLimit>() is null)
            .SelectMany(endpoint => endpoint.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods
                .Where(method => method is not ("GET" or "HEAD")).Select(method => $"{method} {Route(endpoint)}"));

        Assert.That(others, Is.EquivalentTo(Endpoints.Keys));
    }

    [Test]
    public async Task Every_hub_method_takes_from_the_budget_of_sends_or_has_a_reason_not_to()
    {
        await using var api = await ApiHost.StartAsync(
            ("Messaging:RateLimits:Enabled", "true"), ("Messaging:RateLimits:SendPerMinute", "1"));
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

        Assert.That(others, Is.EquivalentTo(HubMethods.Keys));
    }

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

    private static string Route(RouteEndpoint endpoint) =>
        "/" + Constraint().Replace(endpoint.RoutePattern.RawText!, "}").Trim('/');

    [GeneratedRegex(@":\w+\}", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Constraint();
}
