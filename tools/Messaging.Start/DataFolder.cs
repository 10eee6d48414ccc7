using System.Text.Json;
using Messaging.Postgres;

namespace Messaging.Start;

/// <summary>What a start leaves for the next one, which may find it running or killed.</summary>
sealed record Run(string Url, ProcessIdentity Launcher, ProcessIdentity? Service);

/// <summary>The folder of one installation. Whoever has it open is the only one that runs it.</summary>
sealed class DataFolder : IDisposable
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    readonly FileStream held;

    DataFolder(string path, FileStream held)
    {
        Path = path;
        this.held = held;
    }

    public string Path { get; }

    public string Postgres => In("postgres");

    public string ServiceLog => In("service.log");

    string RunFile => In("run.json");

    string SecretsFile => In("secrets.json");

    string DemoFile => In("demo");

    /// <summary>Fails with where the first one runs when another start has it open.</summary>
    public static async Task<DataFolder> OpenAsync(string path, CancellationToken ct)
    {
        // Others may pass but not look: PostgreSQL's folder is below and, under root, another user's.
        const UnixFileMode mode = OwnerOnly | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        try
        {
            if (System.IO.Path.GetDirectoryName(path) is { } parent)
                Directory.CreateDirectory(parent);
            Directory.CreateDirectory(path, mode);
            var file = System.IO.Path.Combine(path, "lock");
            // The kernel lets go of it with the process, however that ends.
            return new(path, new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new StartException(
                $"{path} cannot be written: {exception.Message} It may have been made by another user; set MESSAGING_DATA to a folder of "
                    + "your own.",
                exception);
        }
        catch (IOException exception)
        {
            var run = await ReadAsync<Run>(System.IO.Path.Combine(path, "run.json"), ct);
            throw new StartException(
                run is { Launcher.IsAlive: true }
                    ? $"Messaging already runs at {run.Url} (process {run.Launcher.Pid}) with the data folder {path}."
                    : $"The data folder {path} cannot be opened: {exception.Message}",
                exception);
        }
    }

    public void Dispose() => held.Dispose();

    public Task<Run?> ReadRunAsync(CancellationToken ct) => ReadAsync<Run>(RunFile, ct);

    public Task WriteRunAsync(Run run, CancellationToken ct) => WriteAsync(RunFile, run, ct);

    public void ForgetRun() => File.Delete(RunFile);

    /// <summary>Made at the first start and kept: tokens and keys that were given out go on working.</summary>
    public async Task<Secrets> SecretsAsync(CancellationToken ct)
    {
        if (await ReadAsync<Secrets>(SecretsFile, ct) is { } kept)
            return kept;

        var made = Secrets.Generate();
        await WriteAsync(SecretsFile, made, ct);
        return made;
    }

    public DemoState Demo
    {
        get => File.Exists(DemoFile) && Enum.TryParse<DemoState>(File.ReadAllText(DemoFile), ignoreCase: true, out var state)
            ? state : DemoState.None;
        set => File.WriteAllText(DemoFile, value.ToString());
    }

    /// <summary>Starts a new log beside the one of the run before.</summary>
    public void RollLog()
    {
        if (File.Exists(ServiceLog))
            File.Move(ServiceLog, ServiceLog + ".1", overwrite: true);
    }

    string In(string name) => System.IO.Path.Combine(Path, name);

    static async Task<T?> ReadAsync<T>(string file, CancellationToken ct)
        where T : class
    {
        try
        {
            await using var stream = File.OpenRead(file);
            return await JsonSerializer.DeserializeAsync<T>(stream, JsonSerializerOptions.Web, ct);
        }
        catch (Exception exception) when (exception is FileNotFoundException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    static async Task WriteAsync<T>(string file, T value, CancellationToken ct)
    {
        // Written beside and renamed: a reader, or the start after a crash, finds all of it or nothing.
        var unfinished = file + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
        await using (var stream = new FileStream(unfinished, options))
            await JsonSerializer.SerializeAsync(stream, value, JsonSerializerOptions.Web, ct);
        File.Move(unfinished, file, overwrite: true);
    }
}
