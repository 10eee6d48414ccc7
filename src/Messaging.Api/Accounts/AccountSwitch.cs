using Messaging.Application.Accounts;
using Messaging.Domain.Common;

namespace Messaging.Api.Accounts;

/// <summary>Where accounts are switched off, their calls are not there, whatever is sent: before anything else is asked or read.</summary>
public sealed class AccountSwitch(RequestDelegate next, AccountSettings settings)
{
    private static readonly PathString Accounts = "/v1/accounts";

    public Task InvokeAsync(HttpContext context) =>
        settings.Enabled || !context.Request.Path.StartsWithSegments(Accounts, StringComparison.OrdinalIgnoreCase)
            ? next(context)
            : throw CommonErrors.NotFound();
}
