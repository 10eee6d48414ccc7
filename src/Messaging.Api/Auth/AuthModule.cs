using Messaging.Api.Configuration;
using Messaging.Application.Users;
using Microsoft.AspNetCore.Authorization;

namespace Messaging.Api.Auth;

/// <summary>
/// Who may call: user tokens and service keys, the conventions of <see cref="ScopeConventions"/> and the signer of minted tokens.
/// </summary>
public sealed class AuthModule : ApiModule
{
    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<JwksKeys>();
        services.AddSingleton<TokenValidator>();
        services.AddSingleton<UserTokens>();
        services.AddSingleton<ServiceKeyCheck>();
        services.AddSingleton<TokenSigner>();
        services.AddSingleton<UserTokenSigner>(provider => provider.GetRequiredService<TokenSigner>().Sign);
        services.AddSingleton<IAuthorizationHandler, ScopeHandler>();
        // The core alone: what AddAuthentication adds keeps keys on the disk, for cookies that there are none of.
        services.AddWebEncoders();
        services.AddTransient<CredentialHandler>();
        services.AddAuthenticationCore(options =>
        {
            options.DefaultScheme = CredentialHandler.Scheme;
            options.AddScheme<CredentialHandler>(CredentialHandler.Scheme, displayName: null);
        });
        services.AddAuthorization();
    }
}
