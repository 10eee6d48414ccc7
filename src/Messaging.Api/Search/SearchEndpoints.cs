using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Json;
using Messaging.Api.OpenApi;
using Messaging.Application.Common;
using Messaging.Application.Search;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Search;

public static class SearchEndpoints
{
    public static IEndpointRouteBuilder MapSearch(this IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/search/messages", SearchAsync)
            .WithTags("Messages").RequireScope(Scope.Messages)
            .Refuses(ProblemCodes.NotFound)
            .WithName("searchMessages").WithSummary("Search the messages of your conversations, newest first");
        return app;
    }

    private static async Task<Ok<Page<FoundMessage>>> SearchAsync(
        HttpContext context, IMediator mediator, CancellationToken ct, string? q = null, ConversationId? conversationId = null,
        UserId? senderId = null, TimeParameter? from = null, TimeParameter? to = null, string? cursor = null,
        int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(
            new SearchMessages(context.Actor(), q, conversationId, senderId, from?.Value, to?.Value, cursor, limit), ct));
}
