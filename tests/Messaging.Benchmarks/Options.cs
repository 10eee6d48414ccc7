using System.Globalization;

namespace Messaging.Benchmarks;

/// <summary>What was asked for on the command line.</summary>
sealed record Options(string Verb, int Messages, TimeSpan Run, bool Keep, string Only)
{
    public const string Usage = """
        dotnet run -c Release --project tests/Messaging.Benchmarks -- <verb> [options]

          send       messages sent over HTTP, to direct conversations and groups of 12 and 300, by 1, 16 and 64 clients
          history    pages of 50: the newest, 10,000 and 100,000 deep, by 16 readers
          inbox      pages of 50 of an ordinary user and of one in 10,000 conversations, by 16 readers
          search     words, phrases and beginnings, for somebody in 1,000 conversations; GET /v1/me beside 50 hostile searches
          resume     what users of 1 and of 1,000 conversations missed, on a feed of 5 million events of others
          upload     64 files of 25 MiB at once; the most memory of the service
          push       from a send until another client hears of it, with 1,000 connections; memory of the service
          group      300 members of a group who are all connected and acknowledge all that comes
          feed       1,000 events in 1,000 groups of 300, of which 0, 1 and 200 people are connected: what the node's reader costs
          deliver    20,000 events to a webhook's receiver on this machine; the same posts alone
          explain    the plans of the hot statements, written to artifacts/plans; fails if one reads a whole table
          all        everything

          --messages N   messages in the database, 5000000 unless said
          --seconds N    length of each of the three runs of a measure, 10 unless said
          --only TEXT    only the measures whose name holds the text
          --keep         keep the database in .data-bench and use it again, instead of loading a new one
        """;

    static readonly string[] Verbs =
        ["send", "history", "inbox", "search", "resume", "upload", "push", "group", "feed", "deliver", "explain", "all"];

    /// <summary>The arguments, or null when they are not among those of <see cref="Usage"/>.</summary>
    public static Options? Parse(string[] arguments)
    {
        if (arguments is not [var verb, .. var rest] || !Verbs.Contains(verb, StringComparer.Ordinal))
            return null;

        Options? options = new Options(verb, 5_000_000, TimeSpan.FromSeconds(10), Keep: false, Only: "");
        for (var i = 0; i < rest.Length; i++)
        {
            if (rest[i] == "--keep")
                options = options! with { Keep = true };
            else if (rest[i] == "--only" && i + 1 < rest.Length)
                options = options! with { Only = rest[++i] };
            else if (i + 1 < rest.Length && int.TryParse(rest[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number > 0)
                options = options?.With(rest[i++], number);
            else
                return null;
        }

        return options;
    }

    public bool Wants(string verb) => Verb == verb || Verb == "all";

    Options? With(string name, int number) => name switch
    {
        "--messages" when number is >= 500_000 and <= 50_000_000 => this with { Messages = number },
        "--seconds" => this with { Run = TimeSpan.FromSeconds(number) },
        _ => null,
    };
}
