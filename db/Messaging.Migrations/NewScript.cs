using System.Globalization;
using System.Text.RegularExpressions;

namespace Messaging.Migrations;

/// <summary>Writes the class of a new script, numbered after today and after every script that is there.</summary>
static partial class NewScript
{
    public static string Create(string folder, string name, DateOnly today)
    {
        if (!ValidName().IsMatch(name))
            throw new UsageException("A name is made of a-z, 0-9 and _, such as add_nicknames.");

        var first = long.Parse(today.ToString("yyyyMMdd", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) * 10_000 + 1;
        var version = Directory.EnumerateFiles(folder, "*.cs")
            .Select(path => FileName().Match(Path.GetFileName(path)))
            .Where(match => match.Success)
            .Select(match => long.Parse(match.Groups["version"].ValueSpan, CultureInfo.InvariantCulture) + 1)
            .Append(first)
            .Max();
        var type = FreshClass(folder, name);
        var file = Path.Combine(folder, $"M{version}_{type}.cs");
        File.WriteAllText(file, $$"""""
            namespace Messaging.Migrations.Migrations;

            /// <summary>Why: {{name}}</summary>
            [Migration({{version}}, "{{name}} (breaking)")]
            public sealed class {{type}} : Migration
            {
                public override void Up() => Execute.Sql("""
                    -- Makes it.
                    """);

                public override void Down() => Execute.Sql("""
                    -- Takes it back.
                    """);
            }

            """"");
        return file;
    }

    // A second class of the same name does not compile, whatever its file is called.
    private static string FreshClass(string folder, string name)
    {
        var words = name.Split('_', StringSplitOptions.RemoveEmptyEntries);
        var type = string.Concat(words.Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
        return Directory.EnumerateFiles(folder, $"M*_{type}.cs").FirstOrDefault() is { } taken
            ? throw new UsageException($"There is a migration {type} already, {Path.GetFileName(taken)}: choose another name.")
            : type;
    }

    /// <summary>The folder of the migrations in the repository that a folder lies in.</summary>
    public static string FindFolder(string from)
    {
        for (var folder = new DirectoryInfo(from); folder is not null; folder = folder.Parent)
        {
            var scripts = Path.Combine(folder.FullName, "db", "Messaging.Migrations", "Migrations");
            if (Directory.Exists(scripts))
                return scripts;
        }

        throw new UsageException(
            "There is no db/Messaging.Migrations/Migrations here or in a folder above: run `create` inside the repository.");
    }

    [GeneratedRegex("^[a-z][a-z0-9_]*$", RegexOptions.None, 1000)]
    private static partial Regex ValidName();

    [GeneratedRegex(@"^M(?<version>\d{12})_", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex FileName();
}
