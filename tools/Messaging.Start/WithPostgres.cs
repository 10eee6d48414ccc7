using System.ComponentModel;
using System.Diagnostics;
using Messaging.Postgres;

namespace Messaging.Start;

/// <summary>Runs one command beside a PostgreSQL that all test processes below it share.</summary>
static class WithPostgres
{
    public static async Task<int> RunAsync(string program, IEnumerable<string> arguments, StopRequest stop)
    {
        await using var server = await PrivatePostgres.StartAsync(
            PrivatePostgresOptions.ThrowAway with { StopsOnSignals = false }, stop.Token);
        var start = new ProcessStartInfo(program, arguments);
        start.Environment["MESSAGING_TEST_DATABASE"] = server.ConnectionString;

        try
        {
            using var process = Process.Start(start)!;
            // From a terminal the command has the signal already; from elsewhere it comes only to this process.
            await using var forward = stop.Token.Register(() => Signals.Terminate(process.Id));
            await process.WaitForExitAsync(CancellationToken.None);
            return process.ExitCode;
        }
        catch (Win32Exception exception)
        {
            throw new StartException($"{program} cannot be run: {exception.Message}", exception);
        }
    }
}
