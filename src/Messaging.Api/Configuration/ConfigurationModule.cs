using Messaging.Infrastructure.Database;
using Npgsql;

namespace Messaging.Api.Configuration;

/// <summary>Checks the connection strings at start. A broken one may hold a password, so no part of it is told.</summary>
public sealed class ConfigurationModule : ApiModule
{
    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton(new SettingsCheck(configuration =>
            Errors(configuration, DatabaseModule.Main, required: true)
                .Concat(Errors(configuration, DatabaseModule.Direct, required: false))));
    }

    private static IEnumerable<string> Errors(IConfiguration configuration, string name, bool required)
    {
        const string Example = "Host=…;Port=…;Database=…;Username=…;Password=…";
        var given = configuration.GetConnectionString(name);
        if (string.IsNullOrWhiteSpace(given))
            return required ? [$"ConnectionStrings__{name}: is required; it looks like {Example}."] : [];
        try
        {
            return new NpgsqlConnectionStringBuilder(given) is { Host.Length: > 0, Database.Length: > 0 }
                ? []
                : [$"ConnectionStrings__{name}: Host and Database are required; it looks like {Example}."];
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException)
        {
            return [$"ConnectionStrings__{name}: cannot be read; it looks like {Example}."];
        }
    }
}
