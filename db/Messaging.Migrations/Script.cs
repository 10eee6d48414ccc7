using System.Globalization;
using System.Reflection;
using FluentMigrator.Expressions;
using FluentMigrator.Infrastructure;

namespace Messaging.Migrations;

/// <summary>One numbered step of the schema, as FluentMigrator runs it: SQL that makes it, and SQL that takes it back.</summary>
/// <param name="version">The script's number, <c>yyyyMMddNNNN</c>; scripts run in this order.</param>
/// <param name="description">What <c>VersionInfo</c> says: the script's name, and whether the release before it runs beside it.</param>
/// <param name="migration">What runs; it may drop data on its way down.</param>
/// <param name="transaction"><c>None</c> for statements that refuse to run inside a transaction.</param>
public sealed class Script(
    long version, string description, IMigration migration, TransactionBehavior transaction = TransactionBehavior.Default)
    : MigrationInfo(version, description, transaction, isBreakingChange: false, () => migration)
{
    const string Compatible = " (compatible)";

    static readonly string[] Marks = [Compatible, " (breaking)"];

    public string Name => NameIn(Description);

    /// <summary>True when the script says that the release before it runs beside it. One that says nothing is breaking.</summary>
    public bool IsCompatible => SaysCompatible(Description);

    public bool RunsOutsideTransaction => TransactionBehavior == TransactionBehavior.None;

    /// <summary>The SQL that makes the step, one text for each time that the server is asked.</summary>
    public IReadOnlyList<string> Up => SqlOf(Migration.GetUpExpressions);

    /// <summary>The SQL that takes the step back.</summary>
    public IReadOnlyList<string> Down => SqlOf(Migration.GetDownExpressions);

    /// <summary>The script that a class with FluentMigrator's attribute is.</summary>
    internal static Script Of(Type type)
    {
        var attribute = type.GetCustomAttribute<MigrationAttribute>()!;
        return new(attribute.Version, attribute.Description, (IMigration)Activator.CreateInstance(type)!, attribute.TransactionBehavior);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Version} {Name}");

    internal static bool SaysCompatible(string description) => description.EndsWith(Compatible, StringComparison.Ordinal);

    internal static string NameIn(string description) =>
        Array.Find(Marks, mark => description.EndsWith(mark, StringComparison.Ordinal)) is { } found
            ? description[..^found.Length]
            : description;

    static List<string> SqlOf(Action<IMigrationContext> collect)
    {
        var context = new MigrationContext(null, null, null);
        collect(context);
        return [.. context.Expressions.Select(step => step is ExecuteSqlStatementExpression sql ? sql.SqlStatement : step.ToString()!)];
    }
}
