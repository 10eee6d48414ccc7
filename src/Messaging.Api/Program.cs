using Messaging.Api.Accounts;
using Messaging.Api.Attachments;
using Messaging.Api.Auth;
using Messaging.Api.Cli;
using Messaging.Api.Configuration;
using Messaging.Api.Contacts;
using Messaging.Api.Conversations;
using Messaging.Api.Errors;
using Messaging.Api.Events;
using Messaging.Api.Health;
using Messaging.Api.Idempotency;
using Messaging.Api.Json;
using Messaging.Api.Logging;
using Messaging.Api.Messages;
using Messaging.Api.Moderation;
using Messaging.Api.OpenApi;
using Messaging.Api.Presence;
using Messaging.Api.RateLimiting;
using Messaging.Api.Reactions;
using Messaging.Api.Realtime;
using Messaging.Api.Receipts;
using Messaging.Api.Search;
using Messaging.Api.Security;
using Messaging.Api.ServiceKeys;
using Messaging.Api.Users;
using Messaging.Application;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Infrastructure.Attachments;
using Messaging.Infrastructure.Bus;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Events;
using Messaging.Infrastructure.Inboxes;
using Messaging.Infrastructure.Revocations;

if (await Verbs.TryRunAsync(args) is { } exitCode)
    return exitCode;

var builder = WebApplication.CreateBuilder(args);
builder.AddJsonLogging();
builder.AddKestrelLimits();

builder.Services
    .AddConnectionChecks()
    .AddSettings<DatabaseSettings>("Messaging:Database")
    .AddSettings<ShutdownSettings>("Messaging:Shutdown", shutdown => shutdown.Errors())
    .AddSettings<Limits>("Messaging:Limits", limits => limits.Errors())
    .AddSettings<PolicySettings>("Messaging:Policies", policies => policies.Errors())
    .AddSettings<StorageSettings>("Messaging:Storage", storage => storage.Errors())
    .AddSettings<ScanSettings>("Messaging:Scan", scan => scan.Errors())
    .AddSettings<RetentionSettings>("Messaging:Retention", retention => retention.Errors())
    .AddErrors()
    .AddJson()
    .AddHealth()
    .AddTrustedProxies()
    .AddBrowserSecurity()
    .AddRateLimits()
    .AddIdempotency()
    .AddMessagingAuth(builder.Environment)
    .AddAccounts(builder.Environment)
    .AddDatabase()
    .AddApplication()
    .AddEvents()
    .AddInboxes()
    .AddBus()
    .AddAttachments()
    .AddAttachmentEndpoints()
    .AddRealtime()
    .AddPresence()
    .AddContract();

// The work behind the API has nothing to do while the build writes the OpenAPI document.
if (!BuildTime.IsDocument)
    builder.Services.AddRevocationReader().AddRealtimeWorker().AddEventWorkers().AddInboxWorker().AddBusWorker().AddPresenceWorker().AddFileWorker();

var app = builder.Build();
if (ConfigCheck.IsAsked(args))
    return await app.CheckConfigurationAsync(args);
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
app.UseMiddleware<AccountSwitch>();
app.UseAuthorization();
app.UseMiddleware<HubGuard>();
app.UseMiddleware<RequestShape>();
app.UseMiddleware<IdempotencyMiddleware>();

app.MapHealth();
app.MapUsers();
app.MapAccounts();
app.MapServiceKeys();
app.MapConversations();
app.MapContacts();
app.MapGroups();
app.MapOwnState();
app.MapMessages();
app.MapAttachments();
app.MapPins();
app.MapSearch();
app.MapReactions();
app.MapReceipts();
app.MapReports();
app.MapPresence();
app.MapSync();
app.MapRealtime();
app.MapContract();

await app.RunAsync();
return 0;
