namespace Messaging.Api.Cli;

/// <summary>The words of a command line: those in their places, and options <c>--name value</c>.</summary>
internal sealed class Arguments
{
    private const string Json = "--json";

    private readonly Dictionary<string, string> options;

    private Arguments(IReadOnlyList<string> words, Dictionary<string, string> options, bool asJson)
    {
        Positionals = words;
        this.options = options;
        AsJson = asJson;
    }

    public IReadOnlyList<string> Positionals { get; }

    public bool AsJson { get; }

    public static Arguments Parse(IReadOnlyList<string> args)
    {
        var words = new List<string>();
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Count; i++)
        {
            if (args[i] == Json)
                continue;
            if (!args[i].StartsWith("--", StringComparison.Ordinal))
                words.Add(args[i]);
            else if (i + 1 == args.Count)
                throw new UsageException($"{args[i]} has no value.");
            else if (!given.TryAdd(args[i], args[++i]))
                throw new UsageException($"{args[i - 1]} is there twice.");
        }
        return new Arguments(words, given, args.Contains(Json, StringComparer.Ordinal));
    }

    public string Required(string option) => Optional(option) ?? throw new UsageException($"{option} is missing.");

    public string? Optional(string option) => options.Remove(option, out var value) ? value : null;

    /// <summary>Call when all options that the verb has were asked for.</summary>
    public void RefuseTheRest()
    {
        foreach (var option in options.Keys)
            throw new UsageException($"There is no option {option} here.");
    }
}

/// <summary>The command line makes no sense.</summary>
internal sealed class UsageException(string message) : Exception(message);
