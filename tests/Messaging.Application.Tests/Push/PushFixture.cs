using Messaging.Application.Messages;
using Messaging.Application.Notifications;
using Messaging.Application.Push;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Push;
using Messaging.Testing;
using Microsoft.Extensions.Logging;
using NodaTime;
using Npgsql;

namespace Messaging.Application.Tests.Push;

/// <summary>Notifications in a database, and providers on this machine that they are sent to.</summary>
public abstract class PushFixture : SliceFixture
{
    private static readonly string GoogleKey = Pushes.NewRsaKey();
    private static readonly VapidKeys Vapid = VapidKeys.Make();

    private protected MovingTime Clock { get; private set; } = null!;

    private protected PushServer Google { get; private set; } = null!;

    private protected PushServer Browsers { get; private set; } = null!;

    private protected MovedTime Time { get; private set; } = null!;

    private protected PushQueue Queue { get; private set; } = null!;

    private protected LogRecorder Logs { get; private set; } = null!;

    private NpgsqlDataSource database = null!;
    private Browser browser = null!;

    /// <summary>What Google says to a push; to a call for a token it says one.</summary>
    private protected Func<PushCall, Task<PushReply>> GoogleSays { get; set; } = null!;

    [SetUp]
    public async Task StartAsync()
    {
        (Clock, Time) = (new MovingTime(), new MovedTime());
        Logs = new LogRecorder();
        browser = new Browser();
        database = NpgsqlDataSource.Create(Slices.ConnectionString);
        Queue = NewQueue();
        (Google, Browsers) = (await PushServer.StartAsync(), await PushServer.StartAsync());
        GoogleSays = _ => Task.FromResult(new PushReply(200, new { name = "projects/chat-test/messages/1" }));
        Google.Reply = call => call.Line.EndsWith("/token", StringComparison.Ordinal)
            ? Task.FromResult(new PushReply(200, new { access_token = "bearer", expires_in = 3_600 })) : GoogleSays(call);
        await Slices.ExecuteAsync("DELETE FROM notifications; DELETE FROM devices");
    }

    [TearDown]
    public async Task StopAsync()
    {
        await Google.DisposeAsync();
        await Browsers.DisposeAsync();
        await database.DisposeAsync();
        browser.Dispose();
        Logs.Dispose();
    }

    /// <summary>What Google was sent, without calls for tokens.</summary>
    private protected IReadOnlyList<PushCall> Sent =>
        [.. Google.Calls.Where(call => call.Line.EndsWith(":send", StringComparison.Ordinal))];

    private protected PushSettings Settings => new()
    {
        Fcm = new FcmSettings { ServiceAccount = Pushes.ServiceAccount(GoogleKey, $"{Google.Address}/token"), Address = Google.Address },
        WebPush = new WebPushSettings { Subject = "mailto:push@test", PublicKey = Vapid.PublicKey, PrivateKey = Vapid.PrivateKey },
    };

    private protected static IReadOnlyList<(string Provider, string Platform)> Targets { get; } =
        [("fcm", "android"), ("fcm", "ios"), ("webpush", "web")];

    /// <summary>Another node's.</summary>
    private protected PushQueue NewQueue() => new(database, new PushTexts(new PushSettings()), Clock, Time);

    /// <summary>A node's worker, which ends with the test.</summary>
    private protected async Task<RunningWorker> WorkAsync(bool withBrowsers = true)
    {
        var (settings, handlers) = (Settings, Pushes.Handlers());
        var providers = new List<IPushProvider> { new FcmProvider(settings, handlers, Clock) };
        if (withBrowsers)
            providers.Add(new WebPushProvider(settings, handlers, Clock));
        var signal = new PushSignal();
        using var logging = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(Logs));
        // Without a limit to how long a browser's server takes.
        var worker = new PushWorker(
            providers, Queue, signal, new PushLanes(new MovedTime()), logging.CreateLogger<PushWorker>());
        await worker.StartAsync(CancellationToken.None);
        return new RunningWorker(worker, signal, providers);
    }

    /// <summary>A notification of a new message that is due, to a user with a device of each platform.</summary>
    private protected async Task<Raised> RaiseAsync(params string[] platforms)
    {
        var (sender, user) = (await Slices.UserAsync("Ben"), await Slices.UserAsync("Anna"));
        var message = await Slices.TextAsync(sender, await Slices.DirectAsync(sender, user), "See you at 8");
        foreach (var platform in platforms)
            await RegisterAsync(user, platform);
        var id = Guid.CreateVersion7();
        await Slices.ExecuteAsync(
            """
            INSERT INTO notifications (id, user_id, type, conversation_id, seqs, seq, sent_at, message_id, to_web, to_mobile, delivery,
                push_at, created_at, raised_at)
            VALUES (@Id, @User, 'message', @Conversation, int8multirange(int8range(@Seq, @Seq, '[]')), @Seq,
                @SentAt, @Message, true, true, 'pending', @Now, @Now, @Now)
            """,
            new
            {
                Id = id,
                User = user.Value,
                Conversation = message.ConversationId.Value,
                message.Seq,
                SentAt = message.CreatedAt.ToDateTimeUtc(),
                Message = message.Id.Value,
                Now = Clock.GetCurrentInstant().ToDateTimeUtc(),
            });
        return new Raised(id, user, message);
    }

    private protected Task RegisterAsync(UserId user, string platform, string? token = null, string? deviceId = null)
    {
        var device = browser.At($"{Browsers.Address}/{user.Value}");
        return Slices.ExecuteAsync(
            """
            INSERT INTO devices (user_id, device_id, platform, token, p256dh, auth, created_at, last_seen_at)
            VALUES (@User, @Device, @Platform, @Token, @P256dh, @Auth, now(), now())
            ON CONFLICT (user_id, device_id) DO UPDATE SET token = excluded.token, last_seen_at = excluded.last_seen_at
            """,
            new
            {
                User = user.Value,
                Device = deviceId ?? platform,
                Platform = platform,
                Token = token ?? (platform == "web" ? device.Token : $"{platform}-{user.Value}"),
                P256dh = platform == "web" ? device.P256dh : null,
                Auth = platform == "web" ? device.Auth : null,
            });
    }

    private protected Task UntilAsync(Raised raised, string delivery) =>
        Slices.UntilAsync($"SELECT delivery = '{delivery}' FROM notifications WHERE id = '{raised.Id}'");

    private protected Task<string> DeliveryAsync(Raised raised) =>
        Slices.ScalarAsync<string>("SELECT delivery FROM notifications WHERE id = @Id", new { raised.Id });

    private protected Task<int> DevicesAsync(UserId user) =>
        Slices.ScalarAsync<int>("SELECT count(*)::integer FROM devices WHERE user_id = @User", new { User = user.Value });
}

internal sealed record Raised(Guid Id, UserId User, MessageView Message);

/// <summary>A worker that runs, with its signal.</summary>
internal sealed class RunningWorker(PushWorker worker, PushSignal signal, IEnumerable<IPushProvider> providers) : IAsyncDisposable
{
    /// <summary>Has it look at once.</summary>
    public void Look() => signal.Raise();

    public Task StopAsync() => worker.StopAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        worker.Dispose();
        signal.Dispose();
        foreach (var provider in providers.OfType<IDisposable>())
            provider.Dispose();
    }
}
