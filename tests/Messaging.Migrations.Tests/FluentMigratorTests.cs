using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Messaging.Migrations.Tests;

sealed partial class FluentMigratorTests
{
    [Test]
    public void Every_script_has_its_line_in_order_with_its_name_and_transaction()
    {
        var expected = ScriptSet.Embedded.Select(script => LineOf(script)).ToList();

        Assert.That(LinesOf(File.ReadAllText(SourcePath())), Is.EqualTo(expected));
    }

    [Test]
    public void A_line_is_read_as_it_is_written()
    {
        var lines = $"// {LineOf(Scripts.People)}\n{LineOf(Scripts.People)}\n{LineOf(Scripts.NameIndex)}\n";

        Assert.That(LinesOf(lines), Is.EqualTo((string[])[LineOf(Scripts.People), LineOf(Scripts.NameIndex)]));
        Assert.That(LineOf(Scripts.NameIndex), Does.Contain("202601030001, TransactionBehavior.None, \"index_people_names\""));
    }

    static string LineOf(Script script)
    {
        var transaction = script.UpRunsOutsideTransaction || script.DownRunsOutsideTransaction ? "TransactionBehavior.None, " : "";
        return $"[Migration({script.Version}, {transaction}\"{script.Name}\")] public sealed class M{script.Version}() : " +
            $"EmbeddedScript(\"{script.Version}_{script.Name}\");";
    }

    static List<string> LinesOf(string source) => [.. MigrationLine().Matches(source).Select(match => match.Value)];

    static string SourcePath([CallerFilePath] string thisFile = "") =>
        Path.Combine(Path.GetDirectoryName(thisFile)!, "../../db/Messaging.FluentMigrator/Scripts.cs");

    [GeneratedRegex(@"^\[Migration\(.*$", RegexOptions.Multiline, 1000)]
    private static partial Regex MigrationLine();
}
