using NpgsqlTypes;

namespace Messaging.Benchmarks.Plans;

/// <summary>A statement of the hot paths with the values that it is explained with.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Background">Run by the service on its own, on connections that are set for generic plans without sequential scans.</param>
sealed record HotStatement(string Name, string Sql, bool Background, params (string Name, NpgsqlDbType Type, object? Value)[] Parameters)
{
    /// <summary>Whether the service has it planned for its values each time.</summary>
    public bool PerValues { get; init; }
}
