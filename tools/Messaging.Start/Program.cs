using Messaging.Migrations;
using Messaging.Postgres;
using Messaging.Start;

using var stop = new StopRequest();

try
{
    return args switch
    {
        [] => await new Launcher(json: false).RunAsync(stop),
        ["--json"] => await new Launcher(json: true).RunAsync(stop),
        ["with-postgres", "--", var program, .. var arguments] => await WithPostgres.RunAsync(program, arguments, stop),
        _ => Usage(),
    };
}
catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
{
    // A command that was never run has not succeeded; a start that was asked to end has.
    return args is ["with-postgres", ..] ? 130 : 0;
}
catch (Exception exception) when (exception is StartException or PrivatePostgresException or MigrationException)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}

static int Usage()
{
    Console.Error.WriteLine(
        """
        start.sh [--json]
            Starts PostgreSQL and the service and says where they are, with --json as one JSON object. Ctrl+C stops both.
            MESSAGING_DATA, ASPNETCORE_URLS, ConnectionStrings__Messaging and Messaging__* from the environment are used as they are.
        Messaging.Start with-postgres -- <command>
            Runs the command with MESSAGING_TEST_DATABASE set to a fast PostgreSQL, which goes when the command ends.
        """);
    return 2;
}
