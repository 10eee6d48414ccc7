using System.ComponentModel;
using System.Diagnostics;

namespace Messaging.Postgres;

/// <summary>One run of a program to its end, with what it said.</summary>
sealed record Command(int ExitCode, string Output)
{
    public bool Succeeded => ExitCode == 0;

    public static async Task<Command> RunAsync(string program, IEnumerable<string> arguments, CancellationToken ct)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // The server's user may not be able to enter the caller's folder, at which PostgreSQL's programs complain.
            WorkingDirectory = "/",
        };
        start.Environment["LC_ALL"] = "C";

        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(ct);
            var errors = process.StandardError.ReadToEndAsync(ct);
            await process.WaitForExitAsync(ct);
            return new(process.ExitCode, (await output + await errors).Trim());
        }
        catch (Win32Exception exception)
        {
            return new(127, exception.Message);
        }
    }
}
