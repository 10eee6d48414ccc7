using Messaging.Api.Auth;
using Messaging.Application.Accounts;
using Messaging.Domain.Common;
using Microsoft.AspNetCore.Authentication;

namespace Messaging.Api.Accounts;

/// <summary>
/// Where accounts are switched off, their calls are not there, whatever is sent: before anything else is asked or read. Where they are on,
/// a service key that nobody was given is refused.
/// </summary>
public sealed class AccountSwitch(RequestDelegate next, AccountSettings settings)
{
    private static readonly PathString Accounts = "/v1/accounts";

    public Task InvokeAsync(HttpContext context)
    {
        if (!context.Request.Path.StartsWithSegments(Accounts, StringComparison.OrdinalIgnoreCase))
            return next(context);
        if (!settings.Enabled)
            throw CommonErrors.NotFound();
        // Most of these calls need no credential, and clients may send a token that has expired. A service must hear that its key is no
        // good.
        var isKnown = context.User.Identity?.IsAuthenticated == true
            || !context.Request.Headers.ContainsKey(CredentialHandler.ApiKeyHeader);
        return isKnown ? next(context) : context.ChallengeAsync();
    }
}
