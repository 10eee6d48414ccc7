using Messaging.Api.Auth;
using Messaging.Api.Configuration;
using Messaging.Api.Errors;
using Messaging.Api.Idempotency;
using Messaging.Api.Json;
using Messaging.Api.RateLimiting;
using Messaging.Api.Security;
using Messaging.Application;
using Messaging.Application.Common;
using Messaging.Infrastructure.Database;
using Messaging.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Messaging.Api.Tests.Surface;

/// <summary>The service's middleware around endpoints of the test's own, for what no endpoint of the service does.</summary>
sealed class SurfaceHost : IAsyncDisposable
{
    readonly WebApplication app;

    SurfaceHost(WebApplication app, LogRecorder logs)
    {
        this.app = app;
        Logs = logs;
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Client { get; }

    public LogRecorder Logs { get; }

    /// <param name="map">Adds the endpoints.</param>
    /// <param name="database">A connection string, where the endpoints use one.</param>
    public static async Task<SurfaceHost> StartAsync(Action<IEndpointRouteBuilder> map, string? database = null)
    {
        var logs = new LogRecorder();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["ConnectionStrings:Messaging"] = database,
            ["Messaging:Auth:BootstrapServiceKey"] = ApiHost.ServiceKey,
        });
        builder.AddKestrelLimits();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddProvider(logs);
        builder.Services.AddModules(builder.Environment);
        var built = builder.Build();
        built.UseMiddleware<HeadRequests>();
        built.UseMiddleware<ErrorMiddleware>();
        built.UseRouting();
        built.UseAuthentication();
        built.UseAuthorization();
        built.UseMiddleware<RequestShape>();
        built.UseMiddleware<IdempotencyMiddleware>();
        map(built);
        await built.StartAsync();
        return new SurfaceHost(built, logs);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.DisposeAsync();
    }
}
