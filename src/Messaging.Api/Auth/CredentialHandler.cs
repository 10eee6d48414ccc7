using System.Text.Encodings.Web;
using MediatR;
using Messaging.Api.RateLimiting;
using Messaging.Api.Security;
using Messaging.Domain.Common;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Messaging.Api.Auth;

/// <summary>
/// Finds out who calls: a user by <c>Authorization: Bearer</c> (on the hub also by <c>?access_token=</c>), or a service by
/// <c>X-Api-Key</c>, with <c>X-User-Id</c> as that user. Why a credential was refused is told only where one is needed.
/// </summary>
internal sealed class CredentialHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    UserTokens userTokens,
    ServiceKeyCheck serviceKeys,
    RateLimits limits,
    IMediator mediator)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "Messaging";

    public const string ApiKeyHeader = "X-Api-Key";
    public const string UserHeader = "X-User-Id";
    private const string BearerPrefix = "Bearer ";
    private const string KeyPrefix = "msk_";

    private static readonly PathString Hubs = "/hubs";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        try
        {
            return await FindTicketAsync() is { } ticket ? AuthenticateResult.Success(ticket) : AuthenticateResult.NoResult();
        }
        catch (UnknownCredentialException e)
        {
            return AuthenticateResult.Fail(Count(e));
        }
        catch (RuleException e)
        {
            return AuthenticateResult.Fail(e);
        }
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var failure = (await HandleAuthenticateOnceSafeAsync()).Failure as RuleException;
        var refusal = failure ?? new RuleException(new Problem(
            ProblemCodes.Unauthenticated,
            "A credential is needed: 'Authorization: Bearer <token>' for a user, or 'X-Api-Key: <key>' for a service."));
        if (refusal.Problem.Code == ProblemCodes.Unauthenticated)
        {
            var error = failure is null ? "" : ", error=\"invalid_token\"";
            Response.Headers.WWWAuthenticate = $"Bearer realm=\"messaging\"{error}";
        }
        throw refusal;
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        throw new RuleException(new Problem(ProblemCodes.NotAllowed, "This credential may not do this."));

    private async Task<AuthenticationTicket?> FindTicketAsync()
    {
        var key = Single(Request.Headers[ApiKeyHeader], ApiKeyHeader);
        var token = Token();
        if (key is not null && token is not null)
            throw CommonErrors.Invalid(ApiKeyHeader, "Send either a user token or a service key, not both.");
        var actAs = Single(Request.Headers[UserHeader], UserHeader);
        if (key is not null)
        {
            if (!serviceKeys.HasSeen(key))
                RefuseGuessing();
            return await serviceKeys.AuthenticateAsync(key, actAs, mediator, Context.RequestAborted);
        }
        if (token is null)
            return null;
        if (token.StartsWith(KeyPrefix, StringComparison.Ordinal))
            throw new RuleException(new Problem(ProblemCodes.Unauthenticated, "This is a service key: send it as 'X-Api-Key: <key>'."));
        if (actAs is not null)
            throw CommonErrors.Invalid(UserHeader, "A user token already names the user; X-User-Id goes with a service key only.");
        return await userTokens.AuthenticateAsync(token, mediator, Context.RequestAborted);
    }

    // Before the database is asked. Whose key was good before is not kept from asking by others behind the same address.
    private void RefuseGuessing()
    {
        var state = limits.Credentials.Look(Context.AddressKey());
        if (!state.Allowed)
            throw new RuleException(state.Problem);
    }

    private RuleException Count(UnknownCredentialException failure)
    {
        try
        {
            Context.Take(limits.Credentials, Context.AddressKey());
            return new RuleException(new Problem(ProblemCodes.Unauthenticated, failure.Message));
        }
        catch (RuleException refusal)
        {
            return refusal;
        }
    }

    // A browser cannot set a header on a WebSocket.
    private string? Token()
    {
        var header = Single(Request.Headers.Authorization, "Authorization");
        if (header is null)
            return Request.Path.StartsWithSegments(Hubs, StringComparison.OrdinalIgnoreCase)
                ? Single(Request.Query["access_token"], "access_token") : null;
        return header.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase)
            ? header[BearerPrefix.Length..].Trim()
            : throw new RuleException(new Problem(ProblemCodes.Unauthenticated, "'Authorization: Bearer <token>' is expected."));
    }

    private static string? Single(Microsoft.Extensions.Primitives.StringValues values, string name) => values.Count switch
    {
        0 => null,
        1 => values[0],
        _ => throw CommonErrors.Invalid(name, "It is expected exactly once."),
    };
}
