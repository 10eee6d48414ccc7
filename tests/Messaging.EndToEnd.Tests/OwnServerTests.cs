using Messaging.Testing;
using Npgsql;

namespace Messaging.EndToEnd.Tests;

public sealed class OwnServerTests
{
    [Test]
    public async Task Private_cluster_serves_where_no_Docker_engine_answers_and_a_container_where_one_does()
    {
        await using var server = await OwnServer.StartAsync();

        Assert.That(server.IsContainer, Is.EqualTo(await DockerAnswersAsync()));
        Assert.That(
            await RightsAsync(server.ConnectionString),
            Is.EqualTo(("messaging", "messaging", MayCreateDatabases: true, MayCreateRoles: true, IsSuperuser: false)));
    }

    static async Task<bool> DockerAnswersAsync()
    {
        using var docker = ChildProcess.Start("sh", ["-c", "docker version >/dev/null 2>&1"]);
        return await docker.ExitAsync() == 0;
    }

    static async Task<(string, string, bool, bool, bool)> RightsAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString + ";Pooling=false");
        await using var command = source.CreateCommand(
            "SELECT rolname, current_database(), rolcreatedb, rolcreaterole, rolsuper FROM pg_roles WHERE rolname = current_user");
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetString(0), reader.GetString(1), reader.GetBoolean(2), reader.GetBoolean(3), reader.GetBoolean(4));
    }
}
