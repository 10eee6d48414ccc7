using System.Net.Http.Json;
using Messaging.Testing;

namespace Messaging.Api.Tests.Auth;

public sealed class SecretsInLogsTests
{
    [Test]
    public async Task No_credential_is_ever_logged_not_even_at_the_finest_level()
    {
        await using var api = await ApiHost.StartAsync(
            ("Logging:LogLevel:Default", "Trace"), ("Logging:LogLevel:Microsoft.AspNetCore", "Trace"),
            ("Messaging:Accounts:Enabled", "true"), ("Messaging:Accounts:HashIterations", "10"));
        var (good, expired) = (ApiHost.Token("anna"), ApiHost.Token("anna", TimeSpan.FromSeconds(-9)));
        foreach (var token in new[] { good, expired, good + "x" })
            await api.ClientWithToken(token).GetAsync("/v1/me");
        await api.ServiceClient("anna").GetAsync("/v1/me");
        await api.ServiceClient(key: ApiHost.ServiceKey + "x").GetAsync("/v1/me");
        using var key = await api.ServiceClient().PostAsJsonAsync("/v1/admin/keys", new { name = "test", scopes = new[] { "users" } });
        using var minted = await api.ServiceClient().PostAsJsonAsync("/v1/users/anna/tokens", new { });
        const string Password = "a fox that reads at night";
        const string Wrong = "two owls in one old oak";
        using var registered = await api.AnonymousClient()
            .PostAsJsonAsync("/v1/accounts", new { username = "anna_berg", password = Password });
        var login = await registered.JsonAsync();
        var (access, refresh) = (login.GetProperty("accessToken").GetString()!, login.GetProperty("refreshToken").GetString()!);
        await api.AnonymousClient().PostAsJsonAsync("/v1/accounts/login", new { username = "anna_berg", password = Wrong });
        await api.AnonymousClient()
            .PostAsJsonAsync("/v1/accounts/login", new { username = "anna_berg", password = Password, oops = Wrong });
        await api.ClientWithToken(access).PostAsJsonAsync("/v1/accounts/password", new { currentPassword = Wrong, newPassword = Password });
        await api.AnonymousClient().PostAsJsonAsync("/v1/accounts/refresh", new { refreshToken = refresh });
        await api.AnonymousClient().PostAsJsonAsync("/v1/accounts/refresh", new { refreshToken = refresh });

        var secrets = new[]
        {
            ApiHost.Hs256Secret, ApiHost.ServiceKey.Split('_')[2], Signature(good), Signature(expired),
            (await key.JsonAsync()).GetProperty("key").GetString()!.Split('_')[2],
            Signature((await minted.JsonAsync()).GetProperty("token").GetString()!),
            Password, Wrong, Signature(access), refresh[4..],
        };
        Assert.That(api.Logs.Lines, Has.Count.GreaterThan(50));
        Assert.That(api.Logs.Lines.Where(line => secrets.Any(secret => line.Contains(secret, StringComparison.Ordinal))), Is.Empty);
    }

    static string Signature(string token) => token.Split('.')[2];
}
