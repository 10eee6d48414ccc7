using System.ComponentModel.DataAnnotations;
using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Configuration;
using Messaging.Api.Idempotency;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Application.Common;
using Messaging.Application.Notifications;
using Messaging.Application.Users;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Users;

/// <summary>A complete profile, written by the host: members left out are cleared.</summary>
public sealed record ProfileBody(
    string? DisplayName = null, string? FirstName = null, string? LastName = null, string? AvatarUrl = null, JsonText? Metadata = null);

/// <summary>One of several profiles written together.</summary>
public sealed record UserBody(
    UserId UserId,
    string? DisplayName = null,
    string? FirstName = null,
    string? LastName = null,
    string? AvatarUrl = null,
    JsonText? Metadata = null);

/// <summary>Up to 1,000 profiles: all are written, or none.</summary>
public sealed record UsersBody(IReadOnlyList<UserBody> Users);

/// <summary>A JSON Merge Patch of the caller's profile: absent keeps, null clears.</summary>
public sealed record MePatch
{
    public Optional<string> DisplayName { get; init; }

    public Optional<string> FirstName { get; init; }

    public Optional<string> LastName { get; init; }

    public Optional<string> AvatarUrl { get; init; }

    public Optional<JsonText?> Metadata { get; init; }

    /// <summary>Of the words of notifications: a language tag such as <c>de</c> or <c>pt-BR</c>.</summary>
    public Optional<string> Language { get; init; }

    /// <summary>When nothing is pushed; replaced as a whole.</summary>
    public Optional<QuietHoursView> QuietHours { get; init; }
}

/// <summary>Lifetime of the token; one hour by default.</summary>
public sealed record TokenBody(int TtlSeconds = MintToken.DefaultTtlSeconds);

public static class UserEndpoints
{
    private const long MaxUsersBytes = 20 * 1024 * 1024;

    public static IEndpointRouteBuilder MapUsers(this IEndpointRouteBuilder app)
    {
        var v1 = app.MapGroup("/v1").WithTags("Users");

        v1.MapPut("/users/{userId:userid}", PutAsync).ServiceOnly(Scope.Users)
            .WithName("putUser").WithSummary("Create a user or replace the whole profile");
        v1.MapPut("/users", PutManyAsync).ServiceOnly(Scope.Users).WithBodyOf(MaxUsersBytes)
            .WithName("putUsers").WithSummary("Create or replace up to 1,000 users, all or none");
        v1.MapGet("/users/{userId:userid}", GetAsync).RequireScope(Scope.Users)
            .WithName("getUser").WithSummary("A user's profile");
        v1.MapGet("/users", ListAsync).RequireScope(Scope.Users)
            .WithName("listUsers").WithSummary("Get the profiles of up to 100 users");
        v1.MapGet("/users/search", SearchAsync).RequireScope(Scope.Users)
            .WithName("searchUsers").WithSummary("Search users by the first letters of their names or usernames");
        // Repeating it is harmless, and remembering the answer would store a token.
        v1.MapPost("/users/{userId:userid}/tokens", MintAsync).ServiceOnly(Scope.Tokens).WithoutIdempotencyKey()
            .WithName("mintToken").WithSummary("Mint a user token, valid as long as the key that minted it").WithMetadata(new NoAddress());
        v1.MapPost("/users/{userId:userid}/tokens/revoke", RevokeTokensAsync).ServiceOnly(Scope.Tokens)
            .WithName("revokeTokens").WithSummary("Revoke all tokens issued to a user so far and close the user's connections");
        v1.MapGet("/me", GetMeAsync).RequireScope(Scope.Users).Refuses(ProblemCodes.NotFound)
            .WithName("getMe").WithSummary("One's own profile and the limits in force");
        v1.MapPatch("/me", UpdateMeAsync).RequireScope(Scope.Users).Refuses(ProblemCodes.NotFound).WithoutSendLimit("nobody is told")
            .WithName("updateMe").WithSummary("Change one's own profile");
        return app;
    }

    private static async Task<Results<Ok<UserProfile>, Created<UserProfile>>> PutAsync(
        UserId userId, ProfileBody body, IMediator mediator, CancellationToken ct)
    {
        var result = await mediator.Send(
            new PutUser(userId, body.DisplayName, body.FirstName, body.LastName, body.AvatarUrl, body.Metadata), ct);
        return result.Created ? TypedResults.Created($"/v1/users/{userId}", result.Value) : TypedResults.Ok(result.Value);
    }

    private static async Task<Ok<Page<UserProfile>>> PutManyAsync(UsersBody body, IMediator mediator, CancellationToken ct)
    {
        var users = body.Users.Select(u => new PutUser(u.UserId, u.DisplayName, u.FirstName, u.LastName, u.AvatarUrl, u.Metadata));
        return TypedResults.Ok(new Page<UserProfile>(await mediator.Send(new PutUsers([.. users]), ct)));
    }

    private static async Task<Ok<UserProfile>> GetAsync(UserId userId, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new GetUser(context.Actor(), userId), ct));

    private static async Task<Ok<Page<UserProfile>>> ListAsync(
        [Required] string? ids, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new ListUsers(context.Actor(), ids), ct));

    private static async Task<Ok<Page<UserProfile>>> SearchAsync(
        [Required] string? q, string? cursor, HttpContext context, IMediator mediator, CancellationToken ct, int limit = 30) =>
        TypedResults.Ok(await mediator.Send(new SearchUsers(context.Actor(), q, limit, cursor, context.User.ServiceKeyId()), ct));

    private static async Task<Created<MintedToken>> MintAsync(
        UserId userId, TokenBody body, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Created((string?)null, await mediator.Send(new MintToken(userId, body.TtlSeconds, context.User.ServiceKeyId()), ct));

    private static async Task<NoContent> RevokeTokensAsync(UserId userId, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new RevokeTokens(userId), ct);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<Me>> GetMeAsync(HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new GetMe(context.Actor().RequireUser()), ct));

    private static async Task<Ok<Me>> UpdateMeAsync(MePatch body, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        var userId = context.Actor().RequireUser();
        return TypedResults.Ok(await mediator.Send(
            new UpdateMe(userId, body.DisplayName, body.FirstName, body.LastName, body.AvatarUrl, body.Metadata)
            {
                Language = body.Language,
                QuietHours = body.QuietHours,
            },
            ct));
    }
}
