using Messaging.Api.RateLimiting;
using Messaging.Api.Security;
using Messaging.Application.Accounts;
using Messaging.Domain.Accounts;

namespace Messaging.Api.Accounts;

/// <summary>
/// What may be asked of accounts by where it comes from and by whom it is about. The failed logins of a name are counted in the database
/// instead, so that all nodes agree and a device that the account knows is told from strangers.
/// </summary>
public sealed class AccountBudgets(RateLimits limits, RateLimitSettings settings)
{
    private readonly RateLimitBudget logIns = limits.Budget("login", settings.LogInsPerMinute);
    private readonly RateLimitBudget deviceLogIns = limits.Budget("login-device", settings.LogInsOfDevicesPerMinute);
    private readonly RateLimitBudget passwords = limits.Budget("password", settings.PasswordChangesPerMinute);
    private readonly RateLimitBudget registrations = limits.Budget("registration", settings.RegistrationsPerMinute);
    private readonly RateLimitBudget names = limits.Budget("registration-name", settings.RegistrationsPerNameAndMinute);
    private readonly RateLimitBudget refreshes = limits.Budget("refresh", settings.RefreshesPerMinute);
    private readonly RateLimitBudget logins = limits.Budget("refresh-login", settings.RefreshesPerLoginAndMinute);

    /// <summary>Counts a try to log in.</summary>
    /// <param name="device">One that the account knows, whose address strangers may share; else null.</param>
    public async ValueTask TakeLogInAsync(HttpContext context, RefreshToken? device)
    {
        if (device is not null)
            await context.TakeAsync(deviceLogIns, context.OriginKey());
        await context.TakeAsync(logIns, device is null ? context.OriginKey() : KeyOf(device));
    }

    /// <summary>Counts a try to change one's own password.</summary>
    public ValueTask TakePasswordAsync(HttpContext context) => context.TakeAsync(passwords, context.User.BudgetKey()!);

    public async ValueTask TakeRegistrationAsync(HttpContext context, string username)
    {
        await context.TakeAsync(registrations, context.OriginKey());
        // What is no username is refused, and not to be remembered.
        if (UsernameRules.IsValid(username))
            await context.TakeAsync(names, $"name:{username.ToLowerInvariant()}");
    }

    public async ValueTask TakeRefreshAsync(HttpContext context, string refreshToken)
    {
        await context.TakeAsync(refreshes, context.OriginKey());
        if (RefreshToken.TryParse(refreshToken, out var token))
            await context.TakeAsync(logins, KeyOf(token));
    }

    private static string KeyOf(RefreshToken token) => $"login:{Convert.ToHexStringLower(token.FamilyHash())}";
}
