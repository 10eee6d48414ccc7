using Messaging.Api.Configuration;
using Messaging.Application.Accounts;
using Messaging.Infrastructure.Accounts;

namespace Messaging.Api.Accounts;

/// <summary>Built-in accounts.</summary>
public sealed class AccountsModule : ApiModule
{
    public override IReadOnlyDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Accounts"] = "Logging in here, for products without an identity provider; 404 where it is switched off.",
    };

    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton(new SettingsCheck(configuration => IsWithoutSecret(configuration)
            ? ["Messaging__Accounts__Enabled: Messaging__Auth__Hs256Secret is required, which access tokens are signed with."]
            : []));
        services.AddSingleton<AccountBudgets>().AddSingleton<IPasswordHashing, PasswordHashing>();
    }

    public override void UseBeforeAuthorization(IApplicationBuilder app) => app.UseMiddleware<AccountSwitch>();

    public override void Map(IEndpointRouteBuilder routes) => routes.MapAccounts();

    private static bool IsWithoutSecret(IConfiguration configuration) =>
        bool.TryParse(configuration[$"{AccountSettings.Section}:Enabled"], out var enabled)
        && enabled
        && string.IsNullOrEmpty(configuration["Messaging:Auth:Hs256Secret"]);
}
