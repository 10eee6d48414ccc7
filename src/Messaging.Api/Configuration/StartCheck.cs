using Messaging.Infrastructure.Database;

namespace Messaging.Api.Configuration;

/// <summary>Whether the service may start; what stands against it is said in plain lines on stderr.</summary>
public static class StartCheck
{
    public static async Task<bool> MayStartAsync(this WebApplication app)
    {
        if (BuildTime.IsDocument)
            return true;
        var errors = app.Services.FindConfigurationErrors();
        if (errors.Count > 0)
        {
            await Console.Error.WriteLineAsync($"The configuration cannot be used ({errors.Count} to put right):");
            foreach (var error in errors)
                await Console.Error.WriteLineAsync("  " + error);
            return false;
        }
        if (await app.Services.GetRequiredService<DatabaseStart>().FindRefusalAsync(app.Lifetime.ApplicationStopping) is not { } refusal)
            return true;
        await Console.Error.WriteLineAsync(refusal);
        return false;
    }
}
