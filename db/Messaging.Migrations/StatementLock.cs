using System.Text.RegularExpressions;

namespace Messaging.Migrations;

/// <summary>The lock that a kind of statement takes, after the tables of PostgreSQL's manual (Explicit Locking, ALTER TABLE).</summary>
sealed record StatementLock(string? Table, string Lock, bool ReadsWholeTable)
{
    const string AccessExclusive = "ACCESS EXCLUSIVE: reads and writes wait";
    const string ShareRowExclusive = "SHARE ROW EXCLUSIVE: writes wait";
    const string Share = "SHARE: writes wait";
    const string ShareUpdateExclusive = "SHARE UPDATE EXCLUSIVE: reads and writes go on";
    const string RowExclusive = "ROW EXCLUSIVE: only writes to the same rows wait";
    const string None = "none on tables in use";

    const string Name = """(?<table>("[^"]+"|[\w.])+)""";
    const string AlterTable = $@"ALTER TABLE (IF EXISTS )?(ONLY )?{Name} ";

    // The first that fits counts.
    static readonly (Regex Pattern, string Lock, bool ReadsWholeTable)[] Rules =
    [
        (Begins($@"CREATE (UNIQUE )?INDEX CONCURRENTLY .*?\bON (ONLY )?{Name}"), ShareUpdateExclusive, true),
        (Begins($@"CREATE (UNIQUE )?INDEX .*?\bON ONLY {Name}"), Share, false),
        (Begins($@"CREATE (UNIQUE )?INDEX .*?\bON {Name}"), Share, true),
        (Begins("(DROP INDEX|REINDEX.*) CONCURRENTLY"), ShareUpdateExclusive, false),
        (Begins("DROP INDEX"), $"{AccessExclusive}, on the index's table", false),
        (Begins($"CREATE TABLE .*? PARTITION OF {Name}"), AccessExclusive, false),
        (Begins($@"CREATE (UNLOGGED )?TABLE .*?\bREFERENCES {Name}"), ShareRowExclusive, false),
        (Begins($"CREATE (OR REPLACE )?(CONSTRAINT )?TRIGGER .*? ON {Name}"), ShareRowExclusive, false),
        (Begins($"{AlterTable}VALIDATE CONSTRAINT"), ShareUpdateExclusive, true),
        (Begins($"{AlterTable}(ATTACH PARTITION|DETACH PARTITION .* CONCURRENTLY)"), ShareUpdateExclusive, false),
        (Begins($@"{AlterTable}(SET|RESET) ?\("), ShareUpdateExclusive, false),
        (Begins($"{AlterTable}(ENABLE|DISABLE) TRIGGER"), ShareRowExclusive, false),
        (Begins($@"{AlterTable}ADD (CONSTRAINT \S+ )?FOREIGN KEY .*NOT VALID"), ShareRowExclusive, false),
        (Begins($@"{AlterTable}ADD (CONSTRAINT \S+ )?FOREIGN KEY"), ShareRowExclusive, true),
        (Begins($"{AlterTable}ADD CONSTRAINT .*(NOT VALID|USING INDEX)"), AccessExclusive, false),
        (Begins($@"{AlterTable}(.* )?(ADD CONSTRAINT|ADD (UNIQUE|PRIMARY|CHECK)\b|ALTER .* TYPE|ALTER .* SET NOT NULL)"), AccessExclusive,
            true),
        (Begins(AlterTable), AccessExclusive, false),
        (Begins($"(DROP TABLE|TRUNCATE)( TABLE)?( IF EXISTS)? {Name}"), AccessExclusive, false),
        (Begins($"DROP TRIGGER .*? ON {Name}"), AccessExclusive, false),
        (Begins($"(UPDATE|DELETE FROM)( ONLY)? {Name}"), RowExclusive, true),
        (Begins($"INSERT INTO {Name}"), RowExclusive, false),
        (Begins("(CREATE|ALTER|DROP|COMMENT|GRANT|REVOKE|SET)"), None, false),
    ];

    public static StatementLock Of(string statement)
    {
        var words = string.Join(' ', statement.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        foreach (var (pattern, mode, readsWholeTable) in Rules)
        {
            if (pattern.Match(words) is { Success: true } match)
                return new StatementLock(
                    match.Groups["table"] is { Success: true, Value: var table } ? table : null, mode, readsWholeTable);
        }

        return new StatementLock(null, "not known to this plan: read the statement", false);
    }

    static Regex Begins(string pattern) =>
        new($"^{pattern}", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
}
