using System.Globalization;
using System.Text.RegularExpressions;

namespace Messaging.Migrations;

/// <summary>Writes the empty pair of a new script, numbered after today and after every script that is there.</summary>
static partial class NewScript
{
    public static IReadOnlyList<string> Create(string folder, string name, DateOnly today)
    {
        if (!ValidName().IsMatch(name))
            throw new UsageException("A name is made of a-z, 0-9 and _, such as add_nicknames.");

        var first = long.Parse(today.ToString("yyyyMMdd", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) * 10_000 + 1;
        var version = Math.Max(first, ScriptSet.FromFolder(folder).Latest + 1);
        string[] files = [Path.Combine(folder, $"{version}_{name}.up.sql"), Path.Combine(folder, $"{version}_{name}.down.sql")];
        File.WriteAllText(files[0], $"-- Why: {name}\n-- breaking\n");
        File.WriteAllText(files[1], $"-- Takes back {name}\n");
        return files;
    }

    /// <summary>The folder db/migrations of the repository that a folder lies in.</summary>
    public static string FindFolder(string from)
    {
        for (var folder = new DirectoryInfo(from); folder is not null; folder = folder.Parent)
        {
            var scripts = Path.Combine(folder.FullName, "db", "migrations");
            if (Directory.Exists(scripts))
                return scripts;
        }

        throw new UsageException("There is no db/migrations in this folder or one above it: run `create` inside the repository.");
    }

    [GeneratedRegex("^[a-z][a-z0-9_]*$", RegexOptions.None, 1000)]
    private static partial Regex ValidName();
}
