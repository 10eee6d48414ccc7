using System.Data.Common;
using Messaging.Api.Auth;
using Messaging.Api.Users;
using Messaging.Application;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Npgsql;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddOpenApi("v1");
builder.Services.AddApplication();
builder.Services.AddSingleton(new Limits());
builder.Services.AddSingleton<DbDataSource>(_ => new NpgsqlDataSourceBuilder(builder.Configuration.GetConnectionString("Messaging")) { Name = "messaging" }.Build());
builder.Services.AddMessagingAuth(builder.Environment);
builder.Services.ConfigureHttpJsonOptions(o => MessagingJson.Configure(o.SerializerOptions));
var app = builder.Build();
app.Use(async (context, next) =>
{
    try
    {
        await next(context);
    }
    catch (Exception e) when (e is RuleException or BadHttpRequestException)
    {
        var problem = e is RuleException rule ? rule.Problem : new Problem(ProblemCodes.InvalidRequest, e.Message, "#");
        context.Response.StatusCode = problem.Code switch
        {
            ProblemCodes.Unauthenticated => 401,
            ProblemCodes.NotAllowed or ProblemCodes.ScopeMissing => 403,
            ProblemCodes.NotFound => 404,
            ProblemCodes.Unavailable => 503,
            _ => 400,
        };
        await context.Response.WriteAsJsonAsync(
            new { problem.Code, problem.Detail, Errors = (e as RuleException)?.Problems.Select(p => new { p.Pointer, p.Detail }) }, options: null, contentType: "application/problem+json");
    }
});
app.UseAuthentication();
app.UseAuthorization();
app.MapOpenApi();
app.MapUsers();
app.Run();
