using System.Data.Common;
using Messaging.Application.Common;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using NodaTime;
using Npgsql;

namespace Messaging.Infrastructure.Database;

/// <summary>
/// The pools: for commands, for what changes conversations, for queries, for searches, and one that goes past a transaction pooler.
/// </summary>
public sealed class DatabaseModule : Module
{
    public const string Main = "Messaging";
    public const string Direct = "MessagingDirect";

    /// <summary>
    /// Registers the commands' pool as <see cref="NpgsqlDataSource"/> and <see cref="DbDataSource"/>, <see cref="WriteDataSource"/>,
    /// <see cref="ReadDataSource"/>, <see cref="SearchDataSource"/> and <see cref="DirectDataSource"/>, and the database's time as
    /// <see cref="IClock"/>.
    /// Nothing is read or opened before the first use.
    /// </summary>
    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton(provider => Build(
            provider, ConnectionStrings.ForCommands(ConnectionString(provider, Main)!), "messaging"));
        services.AddSingleton<DbDataSource>(provider => provider.GetRequiredService<NpgsqlDataSource>());
        services.AddSingleton(provider => new WriteDataSource(Build(
            provider, ConnectionStrings.ForWrites(ConnectionString(provider, Main)!), "messaging-write")));
        services.AddSingleton(provider => new ReadDataSource(Build(
            provider, ConnectionStrings.ForQueries(ConnectionString(provider, Main)!), "messaging-read")));
        services.AddSingleton(provider => new SearchDataSource(Build(
            provider, ConnectionStrings.ForSearches(ConnectionString(provider, Main)!), "messaging-search")));
        services.AddSingleton(provider => new DirectDataSource(Build(
            provider,
            ConnectionStrings.ForDirectUse(ConnectionString(provider, Direct) ?? ConnectionString(provider, Main)!),
            "messaging-direct")));
        services.AddSingleton(provider => new DatabaseClock(
            provider.GetRequiredService<NpgsqlDataSource>,
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<ILogger<DatabaseClock>>()));
        services.AddSingleton<IClock>(provider => provider.GetRequiredService<DatabaseClock>());
        services.AddSingleton<DatabaseStart>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<DatabaseHealth>();
    }

    public override void AddWorkers(IServiceCollection services) =>
        services.AddHostedService(provider => provider.GetRequiredService<DatabaseClock>());

    private static string? ConnectionString(IServiceProvider provider, string name) =>
        provider.GetRequiredService<IConfiguration>().GetConnectionString(name) is { Length: > 0 } given ? given : null;

    // Without a name of its own, the pool's metrics would carry the connection string.
    private static NpgsqlDataSource Build(IServiceProvider provider, string connectionString, string name) =>
        new NpgsqlDataSourceBuilder(connectionString) { Name = name }
            .UseLoggerFactory(provider.GetRequiredService<ILoggerFactory>())
            .Build();
}

/// <summary>
/// Connections that may listen, hold session locks and last: for the sequencer and listeners, never for requests. Has no
/// statement timeout.
/// </summary>
public sealed class DirectDataSource(NpgsqlDataSource value) : IAsyncDisposable
{
    public NpgsqlDataSource Value { get; } = value;

    public ValueTask DisposeAsync() => Value.DisposeAsync();
}
