using Messaging.Api.Configuration;
using Messaging.Application.Accounts;
using Messaging.Infrastructure.Accounts;

namespace Messaging.Api.Accounts;

public static class AccountSetup
{
    private const string Section = "Messaging:Accounts";

    public static IServiceCollection AddAccounts(this IServiceCollection services, IHostEnvironment environment)
    {
        services.AddSettings<AccountSettings>(Section, settings => settings.Errors(environment.IsProduction()));
        services.AddSingleton(new SettingsCheck(configuration => IsWithoutSecret(configuration)
            ? ["Messaging__Accounts__Enabled: Messaging__Auth__Hs256Secret is required, which access tokens are signed with."]
            : []));
        return services.AddSingleton<AccountBudgets>().AddSingleton<IPasswordHashing, PasswordHashing>();
    }

    private static bool IsWithoutSecret(IConfiguration configuration) =>
        bool.TryParse(configuration[$"{Section}:Enabled"], out var enabled)
        && enabled
        && string.IsNullOrEmpty(configuration["Messaging:Auth:Hs256Secret"]);
}
