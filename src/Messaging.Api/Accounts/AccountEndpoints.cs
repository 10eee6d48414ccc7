using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Idempotency;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Api.Security;
using Messaging.Application.Accounts;
using Messaging.Domain.Accounts;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Accounts;

/// <summary>A new account.</summary>
/// <param name="Username">3 to 50 of A-Z a-z 0-9 _; unique, ignoring case.</param>
/// <param name="Password">10 to 128 characters of any kind; well-known passwords are refused.</param>
/// <param name="DisplayName">The name that others see; the username by default.</param>
public sealed record AccountBody(string Username, string Password, string? DisplayName = null);

/// <summary>The credentials to log in with.</summary>
/// <param name="RefreshToken">
/// The refresh token that this device received last for the account, even if it has expired: it keeps this device from being locked out by
/// strangers who guess the password.
/// </param>
public sealed record LoginBody(string Username, string Password, string? RefreshToken = null);

/// <summary>A refresh token of the login.</summary>
public sealed record RefreshBody(string RefreshToken);

/// <summary>The login to end, by a refresh token of it.</summary>
public sealed record LogOutBody(string RefreshToken);

/// <summary>The current password and the new one.</summary>
public sealed record PasswordBody(string CurrentPassword, string NewPassword);

public static class AccountEndpoints
{
    private const string OwnBudget = "has a budget of its own";

    public static IEndpointRouteBuilder MapAccounts(this IEndpointRouteBuilder app)
    {
        // Remembering the answers would store tokens in the clear.
        var accounts = app.MapGroup("/v1/accounts").WithTags("Accounts").WithoutIdempotencyKey()
            .Refuses(ProblemCodes.NotFound, ProblemCodes.Unauthenticated);

        accounts.MapPost("", RegisterAsync).WithoutSendLimit(OwnBudget)
            .WithName("registerAccount").WithSummary("Make a user with an account, and log in")
            .Refuses(ProblemCodes.AlreadyExists);
        accounts.MapPost("/login", LogInAsync).WithoutSendLimit(OwnBudget)
            .WithName("logIn").WithSummary("Log in by username and password");
        accounts.MapPost("/refresh", RefreshAsync).WithoutSendLimit(OwnBudget)
            .WithName("refreshLogin").WithSummary("Trade the refresh token for new tokens; using one twice revokes the login");
        accounts.MapPost("/logout", LogOutAsync)
            .WithoutSendLimit("changes what is one's own; of others' screens at most a pointer, which only rises")
            .WithName("logOut").WithSummary("End the login that the refresh token is of");
        accounts.MapPost("/password", ChangePasswordAsync).RequireScope(Scope.Users).WithoutSendLimit(OwnBudget)
            .WithName("changePassword").WithSummary("Change one's own password: ends all logins and begins a new one");
        return app;
    }

    private static async Task<Created<LoginResult>> RegisterAsync(
        AccountBody body, HttpContext context, AccountBudgets budgets, IMediator mediator, CancellationToken ct)
    {
        await budgets.TakeRegistrationAsync(context, body.Username);
        var login = await mediator.Send(
            new RegisterAccount(body.Username, new Password(body.Password), body.DisplayName, context.OriginKey()), ct);
        return TypedResults.Created($"/v1/users/{login.User.UserId}", login);
    }

    private static async Task<Ok<LoginResult>> LogInAsync(
        LoginBody body, HttpContext context, AccountBudgets budgets, IMediator mediator, CancellationToken ct)
    {
        var device = RefreshToken.TryParse(body.RefreshToken, out var token) ? token : null;
        var isKnown = device is not null
            && UsernameRules.IsValid(body.Username)
            && await mediator.Send(new IsKnownDevice(body.Username, device), ct);
        await budgets.TakeLogInAsync(context, isKnown ? device : null);
        return TypedResults.Ok(await mediator.Send(new LogIn(body.Username, new Password(body.Password), context.OriginKey(), device), ct));
    }

    private static async Task<Ok<LoginResult>> RefreshAsync(
        RefreshBody body, HttpContext context, AccountBudgets budgets, IMediator mediator, CancellationToken ct)
    {
        await budgets.TakeRefreshAsync(context, body.RefreshToken);
        return TypedResults.Ok(await mediator.Send(new RefreshLogin(body.RefreshToken), ct));
    }

    private static async Task<NoContent> LogOutAsync(LogOutBody body, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new LogOut(body.RefreshToken), ct);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<LoginResult>> ChangePasswordAsync(
        PasswordBody body, HttpContext context, AccountBudgets budgets, IMediator mediator, CancellationToken ct)
    {
        var user = context.Actor().RequireUser();
        await budgets.TakePasswordAsync(context);
        var command = new ChangePassword(user, new Password(body.CurrentPassword), new Password(body.NewPassword), context.OriginKey());
        return TypedResults.Ok(await mediator.Send(command, ct));
    }
}
