using System.Globalization;

namespace Messaging.Migrations;

/// <summary>What an operator asked for.</summary>
sealed record CommandLine(string Verb)
{
    public const string Usage = """
        messaging-db <verb> [options]

          up [--to N]       apply the scripts that are waiting, up to version N
          down --to N       take back every script newer than version N, 0 for all; drops their data
          status            which scripts are applied, and which are waiting
          plan [--to N]     what `up` would run, the locks it takes, and about how long
          verify            is the schema what these scripts make: compares with a scratch database
          create <name>     write a new script into db/Messaging.Migrations/Migrations

          --connection C    else ConnectionStrings__MessagingDirect, else ConnectionStrings__Messaging
          --lock-timeout T  how long a script waits for a busy table before it steps back and tries again: 500ms, 5s (default), 1min
          --json            one JSON object on standard output; progress goes to standard error

        Ends with 0 done, 1 failed or different, 2 wrong use, 3 scripts are waiting (status, verify).
        A connection string on the command line can be read by others on this machine; the environment cannot.
        """;

    static readonly string[] Verbs = ["up", "down", "status", "plan", "verify", "create", "help"];

    public long? To { get; private init; }

    public string? Connection { get; private init; }

    public TimeSpan LockTimeout { get; private init; } = new MigratorOptions().LockTimeout;

    public bool Json { get; private init; }

    public string? Name { get; private init; }

    /// <summary>Reads the arguments of the process.</summary>
    /// <exception cref="UsageException">The arguments are not among those of <see cref="Usage"/>.</exception>
    public static CommandLine Parse(IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0)
            throw new UsageException("A verb is missing.");

        var verb = arguments[0] is "--help" or "-h" ? "help" : arguments[0];
        if (!Verbs.Contains(verb, StringComparer.Ordinal))
            throw new UsageException($"There is no verb {verb}.");

        var line = new CommandLine(verb);
        var rest = new Queue<string>(arguments.Skip(1));
        while (rest.TryDequeue(out var argument))
            line = line.With(argument, rest);
        return line.Complete();
    }

    CommandLine With(string argument, Queue<string> rest) => argument switch
    {
        "--json" => this with { Json = true },
        "--connection" => this with { Connection = ValueOf(argument, rest) },
        "--lock-timeout" => this with { LockTimeout = DurationOf(ValueOf(argument, rest)) },
        "--to" when Verb is "up" or "down" or "plan" => this with { To = VersionOf(ValueOf(argument, rest)) },
        _ when Verb == "create" && Name is null && !argument.StartsWith('-') => this with { Name = argument },
        // Not repeated: it may be a connection string whose option was forgotten.
        _ => throw new UsageException($"`{Verb}` does not take one of its arguments."),
    };

    CommandLine Complete() => this switch
    {
        { Verb: "down", To: null } => throw new UsageException("`down` drops data: say how far with --to N, 0 for everything."),
        { Verb: "create", Name: null } => throw new UsageException("`create` needs a name, such as add_nicknames."),
        _ => this,
    };

    static string ValueOf(string option, Queue<string> rest) =>
        rest.TryDequeue(out var value) ? value : throw new UsageException($"{option} needs a value.");

    static long VersionOf(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
        ? version
        : throw new UsageException("--to takes the number of a script, yyyyMMddNNNN, or 0.");

    static TimeSpan DurationOf(string text)
    {
        foreach (var (unit, milliseconds) in (ReadOnlySpan<(string, int)>)[("ms", 1), ("min", 60_000), ("s", 1000)])
        {
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && int.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
                return TimeSpan.FromMilliseconds((double)count * milliseconds);
        }

        throw new UsageException("--lock-timeout takes a time with its unit, such as 500ms, 5s or 1min.");
    }
}
