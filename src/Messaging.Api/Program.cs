using Messaging.Api.Configuration;
using Messaging.Api.Errors;
using Messaging.Api.Json;
using Messaging.Application;
using Messaging.Infrastructure.Database;

var builder = WebApplication.CreateBuilder(args);
builder.AddKestrelLimits();

builder.Services
    .AddErrors()
    .AddJson()
    .AddDatabase()
    .AddApplication()
    .AddOpenApi("v1");

var app = builder.Build();

app.UseErrors();
app.UseRouting();

app.MapOpenApi();

await app.RunAsync();
