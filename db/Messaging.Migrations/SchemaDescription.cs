using Npgsql;

namespace Messaging.Migrations;

/// <summary>
/// The schema <c>public</c>, and <c>messaging</c>, which is for hosts on the same server, as lines that can be compared: what each thing is
/// called, and its definition as PostgreSQL writes it. Left out: partitions, which come and go with time; what extensions own; the runner's
/// own tables; comments; and privileges, but that everybody may call a function which acts with its owner's.
/// </summary>
static class SchemaDescription
{
    const string Schemas = "('public'::regnamespace, to_regnamespace('messaging'))";

    // Before a relation's name.
    const string Schema = "CASE c.relnamespace WHEN 'public'::regnamespace THEN '' ELSE c.relnamespace::regnamespace || '.' END";

    const string SchemasSql = """
        SELECT 'schema ' || nspname, ''
        FROM pg_namespace
        WHERE nspname = 'messaging'
        """;

    const string RelationsSql = $"""
        SELECT CASE c.relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'view ' ELSE 'table ' END
                || {Schema} || c.relname,
            concat_ws(' ', c.relkind, c.relpersistence, pg_get_partkeydef(c.oid), c.reloptions::text,
                CASE WHEN c.relrowsecurity THEN 'row security' END,
                CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
                s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle)
        FROM pg_class c
        LEFT JOIN pg_sequence s ON s.seqrelid = c.oid
        WHERE c.relnamespace IN {Schemas}
            AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
            AND NOT c.relispartition
            AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
        """;

    const string ColumnsSql = $"""
        SELECT 'column ' || {Schema} || c.relname || '.' || a.attname,
            concat_ws(' ', format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || a.attcollation::regcollation END,
                CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                CASE WHEN a.attidentity <> '' THEN 'IDENTITY ' || a.attidentity::text END,
                CASE WHEN a.attgenerated <> '' THEN 'GENERATED' END,
                'DEFAULT ' || pg_get_expr(e.adbin, e.adrelid))
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
        WHERE c.relnamespace IN {Schemas}
            AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
            AND NOT c.relispartition
            AND a.attnum > 0
            AND NOT a.attisdropped
        """;

    // A constraint with a parent belongs to a partition, or stands for one partition of a referenced table.
    const string ConstraintsSql = $"""
        SELECT 'constraint ' || {Schema} || c.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
        FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid
        WHERE c.relnamespace IN {Schemas}
            AND NOT c.relispartition
            AND k.conparentid = 0
            AND k.contype <> 't'
        """;

    const string IndexesSql = $"""
        SELECT 'index ' || {Schema} || c.relname, concat_ws(' ', pg_get_indexdef(c.oid), CASE WHEN NOT i.indisvalid THEN 'INVALID' END)
        FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_class t ON t.oid = i.indrelid
        WHERE c.relnamespace IN {Schemas}
            AND NOT t.relispartition
        """;

    const string TriggersSql = $"""
        SELECT 'trigger ' || {Schema} || c.relname || '.' || g.tgname, concat_ws(' ', pg_get_triggerdef(g.oid), g.tgenabled)
        FROM pg_trigger g
        JOIN pg_class c ON c.oid = g.tgrelid
        WHERE c.relnamespace IN {Schemas}
            AND NOT c.relispartition
            AND NOT g.tgisinternal
        """;

    const string FunctionsSql = $"""
        SELECT 'function ' || p.oid::regprocedure,
            concat_ws(' ', CASE WHEN p.prokind IN ('a', 'w') THEN p.prokind::text ELSE pg_get_functiondef(p.oid) END,
                CASE WHEN p.prosecdef AND has_function_privilege('public', p.oid, 'EXECUTE') THEN 'EXECUTE FOR PUBLIC' END)
        FROM pg_proc p
        WHERE p.pronamespace IN {Schemas}
            AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e')
        """;

    const string TypesSql = $"""
        SELECT 'type ' || t.typname,
            concat_ws(' ', t.typtype,
                (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
                CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
                CASE WHEN t.typnotnull THEN 'NOT NULL' END,
                t.typdefault,
                (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname) FROM pg_constraint k WHERE k.contypid = t.oid))
        FROM pg_type t
        WHERE t.typnamespace IN {Schemas}
            AND t.typtype IN ('e', 'd', 'r')
            AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = t.oid AND d.classid = 'pg_type'::regclass AND d.deptype = 'e')
        """;

    const string PoliciesSql = """
        SELECT 'policy ' || tablename || '.' || policyname, concat_ws(' ', permissive, roles, cmd, qual, with_check)
        FROM pg_policies
        WHERE schemaname IN ('public', 'messaging')
        """;

    const string StatisticsSql = $"""
        SELECT 'statistics ' || stxname, pg_get_statisticsobjdef(oid)
        FROM pg_statistic_ext
        WHERE stxnamespace IN {Schemas}
        """;

    // FluentMigrator's, and what the runner before it left until the script that drops it.
    static readonly string[] RunnersOwn = ["VersionInfo", "UC_Version", "migration_checksums", "pk_migration_checksums"];

    public static async Task<SortedDictionary<string, string>> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var description = new SortedDictionary<string, string>(StringComparer.Ordinal);
        string[] queries =
        [
            SchemasSql, RelationsSql, ColumnsSql, ConstraintsSql, IndexesSql, TriggersSql, FunctionsSql, TypesSql, PoliciesSql,
            StatisticsSql,
        ];
        foreach (var query in queries)
        {
            foreach (var (what, definition) in await connection.QueryAsync(query, row => (row.GetString(0), row.GetString(1)), ct))
            {
                if (!RunnersOwn.Contains(what.Split(' ', '.')[1], StringComparer.Ordinal))
                    description[what] = definition;
            }
        }

        return description;
    }

    /// <summary>A line per difference.</summary>
    public static IEnumerable<string> Compare(SortedDictionary<string, string> live, SortedDictionary<string, string> made)
    {
        foreach (var what in live.Keys.Union(made.Keys).Order(StringComparer.Ordinal))
        {
            var isLive = live.TryGetValue(what, out var found);
            var isMade = made.TryGetValue(what, out var wanted);
            if (!isLive)
                yield return $"{what} is missing; the scripts make it: {wanted}";
            else if (!isMade)
                yield return $"{what} is there, but no script makes it: {found}";
            else if (found != wanted)
                yield return $"{what} is {found}; the scripts make it {wanted}";
        }
    }
}
