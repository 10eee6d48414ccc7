using Messaging.Api.Auth;
using Messaging.Api.Cli;
using Messaging.Api.Configuration;
using Messaging.Api.Errors;
using Messaging.Api.Json;
using Messaging.Api.ServiceKeys;
using Messaging.Api.Users;
using Messaging.Application;
using Messaging.Application.Common;
using Messaging.Infrastructure.Database;

if (await Verbs.TryRunAsync(args) is { } exitCode)
    return exitCode;

var builder = WebApplication.CreateBuilder(args);
builder.AddKestrelLimits();

builder.Services
    .AddErrors()
    .AddJson()
    .AddDatabase()
    .AddApplication()
    .AddSingleton(new Limits())
    .AddMessagingAuth(builder.Environment)
    .AddOpenApi("v1");

var app = builder.Build();

app.UseErrors();
app.UseRouting();
app.UseAuthentication();
app.UseAuthorization();

app.MapOpenApi();
app.MapUsers();
app.MapServiceKeys();

await app.RunAsync();
return 0;
