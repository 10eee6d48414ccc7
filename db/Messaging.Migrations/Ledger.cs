using System.Data.Common;
using System.Globalization;
using Npgsql;

namespace Messaging.Migrations;

/// <summary>A script that stands in <c>VersionInfo</c>; without a checksum when FluentMigrator itself applied it.</summary>
/// <param name="IsCompatible">Whether it was recorded that the release before the script runs beside it.</param>
public sealed record AppliedScript(long Version, string Name, DateTime? AppliedOn, string? Checksum, bool IsCompatible = false)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Version} {Name}");
}

/// <summary>Which scripts are applied: FluentMigrator's own table, and our checksums in a table beside it.</summary>
static class Ledger
{
    // To the letter what FluentMigrator makes, so that it goes on from where this runner stopped, and the other way round.
    const string CreateSql = """
        CREATE TABLE IF NOT EXISTS public."VersionInfo" (
            "Version" bigint NOT NULL,
            "AppliedOn" timestamp,
            "Description" varchar(1024));
        CREATE UNIQUE INDEX IF NOT EXISTS "UC_Version" ON public."VersionInfo" ("Version" ASC);
        CREATE TABLE IF NOT EXISTS public.migration_checksums (
            version bigint CONSTRAINT pk_migration_checksums PRIMARY KEY,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL);
        ALTER TABLE public.migration_checksums ADD COLUMN IF NOT EXISTS compatible boolean NOT NULL DEFAULT false;
        """;

    // Looked up first: ALTER TABLE and CREATE INDEX lock their table even where there is nothing to add, and readiness reads it.
    const string IsCompleteSql = """
        SELECT to_regclass('public."VersionInfo"') IS NOT NULL
            AND to_regclass('public."UC_Version"') IS NOT NULL
            AND EXISTS (
                SELECT
                FROM pg_attribute
                WHERE attrelid = to_regclass('public.migration_checksums') AND attname = 'compatible' AND NOT attisdropped)
        """;

    const string HasVersionsSql = """
        SELECT to_regclass('public."VersionInfo"') IS NOT NULL
        """;

    const string HasChecksumsSql = """
        SELECT to_regclass('public.migration_checksums') IS NOT NULL
        """;

    const string AppliedSql = """
        SELECT "Version", coalesce("Description", ''), "AppliedOn"
        FROM public."VersionInfo"
        ORDER BY "Version"
        """;

    // By way of jsonb: the column is not there until a release that knows it has migrated.
    const string ChecksumsSql = """
        SELECT version, checksum, coalesce((to_jsonb(c) ->> 'compatible')::boolean, false)
        FROM public.migration_checksums c
        """;

    const string AddVersionSql = """
        INSERT INTO public."VersionInfo" ("Version", "AppliedOn", "Description")
        VALUES (@Version, clock_timestamp() AT TIME ZONE 'UTC', @Name)
        """;

    const string SetChecksumSql = """
        INSERT INTO public.migration_checksums (version, checksum, compatible, applied_at)
        VALUES (@Version, @Checksum, @Compatible, clock_timestamp())
        ON CONFLICT (version) DO UPDATE
        SET checksum = excluded.checksum,
            compatible = excluded.compatible,
            applied_at = excluded.applied_at
        """;

    const string RemoveSql = """
        DELETE FROM public."VersionInfo" WHERE "Version" = @Version;
        DELETE FROM public.migration_checksums WHERE version = @Version;
        """;

    /// <summary>Whether <see cref="CreateAsync"/> has nothing to do.</summary>
    public static Task<bool> IsCompleteAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.ScalarAsync<bool>(IsCompleteSql, ct);

    public static Task CreateAsync(NpgsqlConnection connection, CancellationToken ct) => connection.ExecuteAsync(CreateSql, ct);

    /// <summary>The applied scripts in order; none when the database was never migrated. Makes nothing.</summary>
    public static async Task<List<AppliedScript>> ReadAsync(DbConnection connection, CancellationToken ct)
    {
        if (!await connection.ScalarAsync<bool>(HasVersionsSql, ct))
            return [];

        var checksums = await connection.ScalarAsync<bool>(HasChecksumsSql, ct)
            ? await connection.QueryAsync(ChecksumsSql, row => (Version: row.GetInt64(0), Checksum: row.GetString(1), IsCompatible: row.GetBoolean(2)), ct)
            : [];
        var recorded = checksums.ToDictionary(row => row.Version);

        return await connection.QueryAsync(
            AppliedSql,
            row =>
            {
                var ours = recorded.GetValueOrDefault(row.GetInt64(0));
                return new AppliedScript(
                    row.GetInt64(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetDateTime(2), ours.Checksum, ours.IsCompatible);
            },
            ct);
    }

    public static async Task AddAsync(NpgsqlConnection connection, Script script, CancellationToken ct)
    {
        await connection.ExecuteAsync(AddVersionSql, ct, ("Version", script.Version), ("Name", script.Name));
        await SetChecksumAsync(connection, script, ct);
    }

    public static Task SetChecksumAsync(NpgsqlConnection connection, Script script, CancellationToken ct) =>
        connection.ExecuteAsync(SetChecksumSql, ct, ("Version", script.Version), ("Checksum", script.Checksum), ("Compatible", script.IsCompatible));

    public static Task RemoveAsync(NpgsqlConnection connection, Script script, CancellationToken ct) =>
        connection.ExecuteAsync(RemoveSql, ct, ("Version", script.Version));
}
