using System.Diagnostics;

namespace Messaging.Migrations.Tests;

/// <summary>What a run of messaging-db in a process of its own ended with.</summary>
sealed record ToolResult(int ExitCode, string Output, string Errors);

/// <summary>messaging-db in a process of its own.</summary>
sealed class Tool : IDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    readonly Process process;
    readonly List<string> output = [];
    readonly List<string> errors = [];

    Tool(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Add(output, line.Data);
        process.ErrorDataReceived += (_, line) => Add(errors, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => process.Id;

    /// <summary>The published tool, with the scripts of the release, in a folder or this one.</summary>
    public static Tool Start(string? connection, string? folder, params IEnumerable<string> arguments) =>
        Launch(connection, folder, ["messaging-db.dll", .. arguments]);

    /// <summary>The same with the tests' scripts.</summary>
    public static Tool Start(string connection, IEnumerable<Script> scripts, params IEnumerable<string> arguments) =>
        Launch(connection, null, ["Messaging.Migrations.Tests.dll", string.Join(',', scripts.Select(script => script.Name)), .. arguments]);

    static Tool Launch(string? connection, string? folder, string[] command)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = folder ?? AppContext.BaseDirectory,
        };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, command[0]), .. command[1..]])
            start.ArgumentList.Add(argument);
        start.Environment.Remove("ConnectionStrings__MessagingDirect");
        start.Environment.Remove("ConnectionStrings__Messaging");
        if (connection is not null)
            start.Environment["ConnectionStrings__Messaging"] = connection;
        return new Tool(Process.Start(start)!);
    }

    public static async Task<ToolResult> RunAsync(string? connection, params string[] arguments)
    {
        using var tool = Start(connection, folder: null, arguments);
        return await tool.EndAsync();
    }

    public static async Task<ToolResult> RunAsync(string connection, IEnumerable<Script> scripts, params string[] arguments)
    {
        using var tool = Start(connection, scripts, arguments);
        return await tool.EndAsync();
    }

    public void Kill() => process.Kill();

    public async Task<ToolResult> EndAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        await process.WaitForExitAsync(limit.Token);
        return new ToolResult(process.ExitCode, Text(output), Text(errors));
    }

    /// <summary>Waits until the process has said something on its standard output.</summary>
    public async Task UntilItSaysAsync(string text)
    {
        using var limit = new CancellationTokenSource(Limit);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!Text(output).Contains(text, StringComparison.Ordinal))
            await timer.WaitForNextTickAsync(limit.Token);
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
    }

    static string Text(List<string> lines)
    {
        lock (lines)
            return string.Join('\n', lines);
    }

    static void Add(List<string> lines, string? line)
    {
        lock (lines)
            lines.AddRange(line is null ? [] : [line]);
    }
}
