using System.Diagnostics;
using Messaging.Migrations;
using Messaging.Postgres;

namespace Messaging.Start;

/// <summary>
/// One start from the lock on the data folder to the end: PostgreSQL, the schema, the service, the demo. Steps are told on
/// standard error; standard output has the announcement alone.
/// </summary>
sealed class Launcher(bool json)
{
    static readonly string Root = FindRoot();

    public async Task<int> RunAsync(StopRequest stop)
    {
        var ct = stop.Token;
        var path = Environment.GetEnvironmentVariable("MESSAGING_DATA") is { Length: > 0 } given ? given : Path.Combine(Root, ".data");
        using var data = await DataFolder.OpenAsync(Path.GetFullPath(path), ct);
        var settings = Settings.Read(data.Path);
        await StopOrphanAsync(data, ct);
        settings.RequireFreeAddresses();

        var run = new Run(settings.Url, ProcessIdentity.Current, Service: null);
        await data.WriteRunAsync(run, ct);
        await using var postgres = await PostgresAsync(data, ct);
        settings.Complete(postgres?.ConnectionString ?? Settings.GivenConnectionString!, await data.SecretsAsync(ct));
        await MigrateAsync(settings.ConnectionString, ct);

        Step("Starting the service");
        data.RollLog();
        using var service = ServiceProcess.Start(Root, settings.Values, data.ServiceLog);
        try
        {
            await data.WriteRunAsync(run with { Service = service.Identity }, CancellationToken.None);
            await AnnounceAsync(data, settings, service, ct);
            await service.WatchAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            Step("Stopping");
        }
        finally
        {
            await service.StopAsync(stop.Impatient);
            data.ForgetRun();
        }

        return 0;
    }

    async Task AnnounceAsync(DataFolder data, Settings settings, ServiceProcess service, CancellationToken ct)
    {
        // A proxy from the environment has no business between two processes of one machine.
        using var handler = new SocketsHttpHandler { UseProxy = false };
        using var client = new HttpClient(handler) { BaseAddress = new Uri(settings.Url + "/") };
        client.DefaultRequestHeaders.Add("X-Api-Key", settings.Secrets.ServiceKey);
        await service.WaitUntilReadyAsync(client, ct);

        var demo = new Demo(client, Console.Error.WriteLine);
        await demo.LoadAsync(data, ct);
        var secrets = settings.Secrets;
        var announcement = new Announcement(
            settings.Url,
            settings.Url + "/docs",
            secrets.ServiceKey,
            secrets.Hs256Secret,
            secrets.Issuer,
            secrets.Audience,
            await demo.TokensAsync(ct),
            settings.ConnectionString,
            data.Path);
        await Console.Out.WriteLineAsync(json ? announcement.ToJson() : announcement.ToText());
    }

    // A launcher that was killed could not stop its service, which still holds the address and the database.
    static async Task StopOrphanAsync(DataFolder data, CancellationToken ct)
    {
        if (await data.ReadRunAsync(ct) is not { Service: { IsAlive: true } orphan })
            return;

        Step($"Stopping the service of a start that was killed (process {orphan.Pid})");
        await Signals.StopAsync(orphan, ServiceProcess.DrainPatience, ct);
    }

    static async Task<PrivatePostgres?> PostgresAsync(DataFolder data, CancellationToken ct)
    {
        if (Settings.GivenConnectionString is not null)
            return null;

        Step("Starting PostgreSQL");
        return await PrivatePostgres.StartAsync(PrivatePostgresOptions.Persistent(data.Postgres), ct);
    }

    static async Task MigrateAsync(string connectionString, CancellationToken ct)
    {
        Step("Migrating the database");
        // The longer way round a pooler, where one stands before the database.
        var direct = Environment.GetEnvironmentVariable("ConnectionStrings__MessagingDirect") is { Length: > 0 } given
            ? given : connectionString;
        await new Migrator(direct, output: Console.Error).UpAsync(ct: ct);
    }

    static void Step(string what) => Console.Error.WriteLine(what + " …");

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Messaging.sln")))
                return folder.FullName;
        }

        throw new UnreachableException("The launcher stands outside the repository it starts.");
    }
}
