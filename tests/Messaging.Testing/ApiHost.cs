using System.Net.Http.Headers;
using System.Text;
using Messaging.Api.Auth;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using NodaTime;

namespace Messaging.Testing;

/// <summary>
/// The API in this process, on real Kestrel and a fresh database, with secrets that tests know:
/// <code>
/// await using var api = await ApiHost.StartAsync();
/// await api.ServiceClient().PutAsJsonAsync("/v1/users/anna", new { displayName = "Anna" });
/// var me = await api.ClientFor("anna").GetFromJsonAsync&lt;JsonElement&gt;("/v1/me");
/// </code>
/// One per fixture is enough where tests use users and conversations of their own.
/// </summary>
public sealed class ApiHost : IAsyncDisposable
{
    public const string Issuer = "https://issuer.test";
    public const string Audience = "messaging-tests";
    public const string Hs256Secret = "a-shared-secret-of-the-tests-0123456789";
    public const string ServiceKey = "msk_tests_0123456789abcdef0123456789abcdef";

    readonly Factory factory;
    readonly bool ownsDatabase;
    readonly List<HttpClient> clients = [];

    ApiHost(TestDatabase database, Factory factory, bool ownsDatabase)
    {
        Database = database;
        this.ownsDatabase = ownsDatabase;
        this.factory = factory;
        factory.StartServer();
        Address = factory.ClientOptions.BaseAddress;
        if (Address.Port == 0)
            throw new InvalidOperationException("The API refused to start; stderr says why.");
    }

    public TestDatabase Database { get; }

    public Uri Address { get; }

    /// <summary>The service's own container, e.g. to send a request past HTTP.</summary>
    public IServiceProvider Services => factory.Services;

    /// <summary>Where the service keeps files.</summary>
    public string FilesFolder => factory.FilesFolder;

    /// <summary>All that was logged so far.</summary>
    public LogRecorder Logs => factory.Logs;

    /// <summary>Starts with a fresh database.</summary>
    /// <param name="settings">Configuration such as <c>("Messaging:Limits:GroupSize", "3")</c>; null takes one of the defaults
    /// away.</param>
    public static Task<ApiHost> StartAsync(params (string Name, string? Value)[] settings) => StartAsync(TimeProvider.System, settings);

    /// <summary>Starts with a fresh database and a clock of the test's own, which says what has expired.</summary>
    public static Task<ApiHost> StartAsync(TimeProvider time, params (string Name, string? Value)[] settings) =>
        StartAsync(services => services.AddSingleton(time), settings);

    /// <summary>Starts with a fresh database and a time of the test's own in place of the database's.</summary>
    public static Task<ApiHost> StartAsync(IClock clock, params (string Name, string? Value)[] settings) =>
        StartAsync(services => services.AddSingleton(clock), settings);

    static async Task<ApiHost> StartAsync(Action<IServiceCollection> replace, (string Name, string? Value)[] settings)
    {
        var database = await TestDatabaseServer.CreateDatabaseAsync(Slices.MigrateAsync);
        var all = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["ConnectionStrings:Messaging"] = database.ConnectionString,
            ["Messaging:Auth:Issuer"] = Issuer,
            ["Messaging:Auth:Audience"] = Audience,
            ["Messaging:Auth:Hs256Secret"] = Hs256Secret,
            ["Messaging:Auth:BootstrapServiceKey"] = ServiceKey,
            ["Messaging:RateLimits:Enabled"] = "false",
            ["Messaging:Database:AllowUnsafeDurability"] = "true",
            ["Messaging:Storage:Path"] = Directory.CreateTempSubdirectory("messaging-files-").FullName,
        };
        foreach (var (name, value) in settings)
            all[name] = value;
        return new ApiHost(database, new Factory(all, replace), ownsDatabase: true);
    }

    /// <summary>Starts another node on this one's database, with the same settings and clock; to be disposed before this one.</summary>
    public ApiHost StartAnother() => new(Database, factory.Again(), ownsDatabase: false);

    /// <summary>A good HS256 token; <paramref name="claims"/> add to or replace those that it has, null takes one away.</summary>
    public static string Token(string userId, TimeSpan? lifetime = null, params (string Name, object? Value)[] claims)
    {
        var now = DateTimeOffset.UtcNow;
        var payload = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["sub"] = userId,
            ["iss"] = Issuer,
            ["aud"] = Audience,
            ["exp"] = (now + (lifetime ?? TimeSpan.FromHours(1))).ToUnixTimeSeconds(),
        };
        foreach (var (name, value) in claims)
            payload[name] = value;
        var key = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(Hs256Secret));
        return Token(payload, new SigningCredentials(key, SecurityAlgorithms.HmacSha256));
    }

    /// <summary>A token of exactly these claims but the null ones, signed by any key.</summary>
    public static string Token(IEnumerable<KeyValuePair<string, object?>> payload, SigningCredentials credentials)
    {
        // The library's cache mixes up keys of the same id.
        credentials.CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false };
        var json = System.Text.Json.JsonSerializer.Serialize(payload.Where(c => c.Value is not null).ToDictionary());
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(json, credentials);
    }

    /// <summary>A client with a user's token; the user's row is made by its first request.</summary>
    public HttpClient ClientFor(string userId) => ClientWithToken(Token(userId));

    public HttpClient ClientWithToken(string token)
    {
        var client = AnonymousClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>A client with a service key, by default the one with every scope; with <paramref name="actAs"/> as that user.</summary>
    public HttpClient ServiceClient(string? actAs = null, string key = ServiceKey)
    {
        var client = AnonymousClient();
        client.DefaultRequestHeaders.Add("X-Api-Key", key);
        if (actAs is not null)
            client.DefaultRequestHeaders.Add("X-User-Id", actAs);
        return client;
    }

    public HttpClient AnonymousClient()
    {
        var client = new HttpClient(new ContractHandler()) { BaseAddress = Address };
        lock (clients)
            clients.Add(client);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        clients.ForEach(client => client.Dispose());
        await factory.DisposeAsync();
        if (!ownsDatabase)
            return;
        await Database.DisposeAsync();
        if (Directory.Exists(FilesFolder))
            Directory.Delete(FilesFolder, recursive: true);
    }

    sealed class Factory : WebApplicationFactory<AuthSettings>
    {
        readonly Dictionary<string, string?> settings;
        readonly Action<IServiceCollection> replace;

        public Factory(Dictionary<string, string?> settings, Action<IServiceCollection> replace)
        {
            this.settings = settings;
            this.replace = replace;
            UseKestrel(port: 0);
        }

        public LogRecorder Logs { get; } = new();

        public string FilesFolder => settings["Messaging:Storage:Path"]!;

        public Factory Again() => new(settings, replace);

        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            foreach (var (name, value) in settings)
                builder.UseSetting(name, value);
            builder.ConfigureLogging(logging => logging.AddProvider(Logs));
            builder.ConfigureServices(replace);
        }
    }
}
