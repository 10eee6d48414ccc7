using System.Data.Common;
using MediatR;
using Messaging.Application;
using Messaging.Application.Accounts;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Push;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Attachments;
using Messaging.Infrastructure.Database;
using Messaging.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;

namespace Messaging.Testing;

/// <summary>The application over a clean database of its own: requests in, rows out, each in a scope as in the service.</summary>
public sealed class Slices : IAsyncDisposable
{
    private readonly string files = Directory.CreateTempSubdirectory("messaging-files-").FullName;
    private readonly TestDatabase database;
    private readonly ServiceProvider services;

    private Slices(TestDatabase database, Action<IServiceCollection>? add)
    {
        this.database = database;
        var collection = new ServiceCollection()
            .AddLogging()
            .AddSingleton(new LimitSettings())
            .AddSingleton(new PolicySettings())
            .AddSingleton(new AccountSettings())
            .AddSingleton<DbDataSource>(database.DataSource)
            .AddSingleton(new WriteDataSource(database.DataSource))
            .AddSingleton(new ReadDataSource(database.DataSource))
            .AddSingleton(new SearchDataSource(database.DataSource))
            .AddSingleton<IClock>(new DatabaseClock(() => database.DataSource, TimeProvider.System, NullLogger<DatabaseClock>.Instance))
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new StorageSettings { Path = files })
            .AddSingleton(new ScanSettings())
            .AddSingleton(new PushSettings())
            .AddSingleton<IServiceAddress>(new TestAddress())
            .AddApplication()
            .AddModules([.. Module.FindIn(typeof(ApplicationSetup).Assembly), new Infrastructure.Attachments.AttachmentsModule()]);
        add?.Invoke(collection);
        services = collection.BuildServiceProvider(new ServiceProviderOptions { ValidateScopes = true });
    }

    public string ConnectionString => database.ConnectionString;

    /// <param name="add">Adds what some requests need beside the application, or other settings.</param>
    public static async Task<Slices> StartAsync(Action<IServiceCollection>? add = null) =>
        new(await TestDatabaseServer.CreateDatabaseAsync(MigrateAsync), add);

    /// <summary>The schema as the service finds it: migrated, with the partitions of today.</summary>
    public static async Task MigrateAsync(string connectionString)
    {
        await new Migrator(connectionString).UpAsync();
        await using var source = Npgsql.NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(
            "SELECT create_messages_partition(current_date), create_feed_partition(current_date - 1), create_feed_partition(current_date), "
            + "create_feed_partition(current_date + 1)");
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>A part of the application that there is once.</summary>
    public T Get<T>()
        where T : notnull => services.GetRequiredService<T>();

    public async Task<T> SendAsync<T>(IRequest<T> request)
    {
        await using var scope = services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<IMediator>().Send(request);
    }

    /// <summary>Sends a command that commits only after something else was done.</summary>
    public async Task SendAsync<T>(IRequest<T> request, Func<Task> beforeCommit)
    {
        await using var scope = services.CreateAsyncScope();
        var session = scope.ServiceProvider.GetRequiredService<DbSession>();
        await session.BeginAsync(CancellationToken.None);
        await scope.ServiceProvider.GetRequiredService<IMediator>().Send(request);
        await beforeCommit();
        await session.CommitAsync(CancellationToken.None);
    }

    /// <summary>Reads or writes past the application: what a test knows of the rows.</summary>
    public async Task<T> SqlAsync<T>(Func<DbSession, Task<T>> use)
    {
        await using var scope = services.CreateAsyncScope();
        return await use(scope.ServiceProvider.GetRequiredService<DbSession>());
    }

    /// <summary>Uses a part of the application beside the session that it works in.</summary>
    public async Task UseAsync<T>(Func<DbSession, T, Task> use)
        where T : notnull
    {
        await using var scope = services.CreateAsyncScope();
        await use(scope.ServiceProvider.GetRequiredService<DbSession>(), scope.ServiceProvider.GetRequiredService<T>());
    }

    public Task ExecuteAsync(string sql, object? parameters = null) =>
        SqlAsync(session => session.ExecuteAsync(sql, parameters, CancellationToken.None));

    public Task<T> ScalarAsync<T>(string sql, object? parameters = null) =>
        SqlAsync(session => session.QuerySingleAsync<T>(sql, parameters, CancellationToken.None));

    /// <summary>A connection for a transaction of the test's own.</summary>
    public async Task<DbConnection> OpenAsync() => await database.DataSource.OpenConnectionAsync();

    /// <summary>Asks every 20 ms until a query answers true.</summary>
    public async Task UntilAsync(string sql)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await ScalarAsync<bool>(sql))
            await timer.WaitForNextTickAsync(limit.Token);
    }

    /// <summary>Makes a user of a fresh id.</summary>
    public async Task<UserId> UserAsync(string name = "user")
    {
        var id = new UserId($"{name.Replace(' ', '-')}-{Guid.NewGuid():N}"[..24]);
        await ExecuteAsync(
            "INSERT INTO users (id, display_name, created_at, updated_at) VALUES (@Id, @Name, now(), now())",
            new { Id = id.Value, Name = name });
        return id;
    }

    public async Task<IReadOnlyList<UserId>> UsersAsync(int count)
    {
        var users = new List<UserId>();
        for (var i = 0; i < count; i++)
            users.Add(await UserAsync());
        return users;
    }

    public async Task<ConversationId> DirectAsync(UserId opener, UserId other) =>
        (await SendAsync(new OpenDirect(new Actor(opener), other, Context: null, Message: null))).Value.Id;

    public async Task<ConversationId> GroupAsync(UserId owner, params IReadOnlyList<UserId> others) =>
        (await SendAsync(new CreateGroup(new Actor(owner), "Group", others, null, null, null, null, null, null))).Id;

    public async Task<MessageView> TextAsync(UserId sender, ConversationId conversation, string text = "hello", string? key = null) =>
        (await SendAsync(new SendMessage(new Actor(sender), conversation, new MessageContent(key, Text: text)))).Message;

    public Task<ConversationView> ViewAsync(UserId viewer, ConversationId conversation) =>
        SendAsync(new GetConversation(new Actor(viewer), conversation));

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        await database.DisposeAsync();
        Directory.Delete(files, recursive: true);
    }

    private sealed class TestAddress : IServiceAddress
    {
        public string Of(UrlAudience audience) => $"https://{audience}.test".ToLowerInvariant();
    }
}
