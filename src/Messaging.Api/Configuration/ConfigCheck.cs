using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Infrastructure.Database;
using Npgsql;

namespace Messaging.Api.Configuration;

/// <summary>
/// The verb <c>config check</c>: all that is wrong with the configuration, and whether PostgreSQL has room for the nodes.
/// </summary>
public static class ConfigCheck
{
    private const int Nodes = 2;

    public static bool IsAsked(string[] args) => args is ["config", "check", ..];

    /// <summary>Says what it found, and returns the exit code: 1 for a configuration that no node starts with.</summary>
    public static async Task<int> CheckConfigurationAsync(this WebApplication app, string[] args, TextWriter output)
    {
        var errors = app.Services.FindConfigurationErrors();
        var answer = errors.Count > 0
            ? new Answer(errors, [], null, null, null, null)
            : await CountAsync(app.Configuration, app.Lifetime.ApplicationStopping);
        if (args.Contains("--json", StringComparer.Ordinal))
            await output.WriteLineAsync(JsonSerializer.Serialize(answer, MessagingJson.Options));
        else
            await output.WriteLineAsync(string.Join(Environment.NewLine, answer.Lines()));
        return answer.Errors.Count > 0 || answer.FittingNodes is 0 ? 1 : 0;
    }

    private static async Task<Answer> CountAsync(IConfiguration configuration, CancellationToken ct)
    {
        var main = configuration.GetConnectionString(DatabaseModule.Main)!;
        var direct = configuration.GetConnectionString(DatabaseModule.Direct) is { Length: > 0 } given ? given : main;
        var pools = ConnectionStrings.OfANode(main, direct);
        var perNode = pools.Sum(pool => pool.Connections);
        var asked = DatabaseModule.Main;
        try
        {
            var room = await ConnectionCapacity.AskAsync(main, ct);
            if (direct != main)
            {
                asked = DatabaseModule.Direct;
                room = await ConnectionCapacity.AskAsync(direct, ct);
            }
            return new Answer([], pools, perNode, room, room.Available / perNode, null);
        }
        catch (PostgresException e) when (DatabaseFailures.IsRefusal(e))
        {
            return new Answer([$"ConnectionStrings__{asked}: PostgreSQL refuses it: {e.MessageText}."], pools, perNode, null, null, null);
        }
        catch (Exception e) when (DatabaseFailures.IsAway(e))
        {
            return new Answer([], pools, perNode, null, null, e.InnerException?.Message ?? e.Message);
        }
    }

    private sealed record Answer(
        IReadOnlyList<string> Errors, IReadOnlyList<PoolSize> Pools, int? ConnectionsPerNode, ConnectionCapacity? Room, int? FittingNodes,
        string? NotAsked)
    {
        public IEnumerable<string> Lines()
        {
            if (Errors.Count > 0)
                return [$"The configuration cannot be used ({Errors.Count} to put right):", .. Errors.Select(error => "  " + error)];
            return
            [
                "The configuration can be used.",
                $"A node takes up to {ConnectionsPerNode} connections: "
                    + $"{string.Join(", ", Pools.Select(pool => $"{pool.Connections} for {pool.For}"))}.",
                Room is null
                    ? $"PostgreSQL could not be asked for its max_connections: {NotAsked}"
                    : $"PostgreSQL gives this role {Room.Available} (max_connections is {Room.MaxConnections}): room for {FittingNodes} "
                        + $"{(FittingNodes == 1 ? "node" : "nodes")}, and {Room.Available % ConnectionsPerNode} left for tools.",
                .. FittingNodes < Nodes
                    ? (string[])[$"For {Nodes} nodes, raise max_connections by {(Nodes * ConnectionsPerNode) - Room!.Available} or more, "
                        + "or give `Maximum Pool Size` in the connection strings, which then holds for each pool."]
                    : [],
            ];
        }
    }
}
