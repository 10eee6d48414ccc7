using System.Data.Common;
using System.Globalization;

namespace Messaging.Migrations;

/// <summary>A script that stands in <c>VersionInfo</c>.</summary>
/// <param name="IsCompatible">Whether it was recorded that the release before the script runs beside it.</param>
public sealed record AppliedScript(long Version, string Name, DateTime? AppliedOn, bool IsCompatible)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Version} {Name}");
}

/// <summary>Which scripts are applied: FluentMigrator's own table, which its runner makes and writes.</summary>
static class Ledger
{
    const string ExistsSql = """
        SELECT to_regclass('public."VersionInfo"') IS NOT NULL
        """;

    const string AppliedSql = """
        SELECT "Version", coalesce("Description", ''), "AppliedOn"
        FROM public."VersionInfo"
        ORDER BY "Version"
        """;

    /// <summary>The applied scripts in order; none when the database was never migrated. Makes nothing.</summary>
    public static async Task<List<AppliedScript>> ReadAsync(DbConnection connection, CancellationToken ct) =>
        await connection.ScalarAsync<bool>(ExistsSql, ct) ? await connection.QueryAsync(AppliedSql, Read, ct) : [];

    static AppliedScript Read(DbDataReader row)
    {
        var description = row.GetString(1);
        return new(
            row.GetInt64(0), Script.NameIn(description), row.IsDBNull(2) ? null : row.GetDateTime(2), Script.SaysCompatible(description));
    }
}
