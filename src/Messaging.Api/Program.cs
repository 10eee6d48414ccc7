using Messaging.Api.Cli;
using Messaging.Api.Configuration;
using Messaging.Api.Errors;
using Messaging.Api.Idempotency;
using Messaging.Api.Logging;
using Messaging.Api.RateLimiting;
using Messaging.Api.Security;

if (await Verbs.TryRunAsync(args) is { } exitCode)
    return exitCode;

var builder = WebApplication.CreateBuilder(args);
builder.AddJsonLogging();
builder.AddKestrelLimits();
builder.Services.AddModules(builder.Environment);
// There is nothing to do while the build writes the OpenAPI document.
if (!BuildTime.IsDocument)
    builder.Services.AddWorkers();

var app = builder.Build();
if (ConfigCheck.IsAsked(args))
    return await app.CheckConfigurationAsync(args, Console.Out);
if (!await app.MayStartAsync())
    return 1;

app.UseForwardedHeaders();
app.UseMiddleware<SecurityHeaders>();
app.UseMiddleware<HeadRequests>();
app.UseMiddleware<ErrorMiddleware>();
app.UseMiddleware<OriginGuard>();
app.UseRouting();
app.UseCors();
app.UseAuthentication();
app.UseMiddleware<RateLimitMiddleware>();
app.UseModulesBeforeAuthorization();
app.UseAuthorization();
app.UseModulesAfterAuthorization();
app.UseMiddleware<RequestShape>();
app.UseMiddleware<IdempotencyMiddleware>();
app.MapModules();

await app.RunAsync();
return 0;
