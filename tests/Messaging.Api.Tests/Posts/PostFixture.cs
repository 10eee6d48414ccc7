using System.Text.Json;
using Messaging.Api.Tests.Realtime;
using Messaging.Testing;
using Npgsql;

namespace Messaging.Api.Tests.Posts;

/// <summary>A service, and a host on its server that posts within transactions of its own.</summary>
public abstract class PostFixture : HubFixture
{
    /// <summary>Posts on its own.</summary>
    protected async Task<Guid> CallAsync(string sender, string conversation, string text = "hello")
    {
        await using var connection = await Api.Database.DataSource.OpenConnectionAsync();
        return await CallAsync(connection, sender, conversation, text);
    }

    /// <summary>Posts within the connection's transaction.</summary>
    protected static Task<Guid> CallAsync(NpgsqlConnection connection, string sender, string conversation, string text = "hello") =>
        CallAsync(
            connection, "SELECT messaging.post(jsonb_build_object('text', @Text::text), @Sender, @Conversation::uuid)",
            ("Sender", sender), ("Conversation", conversation), ("Text", text));

    protected static async Task<Guid> CallAsync(NpgsqlConnection connection, string sql, params (string Name, string Value)[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        return (Guid)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>What became of a post, once it is known: sent, or the code of the refusal and the member that it names.</summary>
    protected async Task<string> OutcomeAsync(Guid id)
    {
        var outcome = "waiting";
        await Eventually.HoldsAsync(
            async () =>
            {
                outcome = (await Api.Database.RowsAsync(
                    $"SELECT concat_ws(' ', coalesce(code, state), member) FROM messaging.posts WHERE id = '{id}'",
                    row => row.GetString(0))).DefaultIfEmpty("none").Single();
                return outcome != "waiting";
            },
            $"what became of {id}");
        return outcome;
    }

    /// <summary>The texts of a conversation's messages in their order, without what it says of itself.</summary>
    protected async Task<List<string>> TextsAsync(string conversation) => await Api.Database.RowsAsync(
        $"SELECT text FROM messages WHERE conversation_id = '{conversation}' AND text IS NOT NULL ORDER BY seq", row => row.GetString(0));

    protected async Task<(string Ada, string Bob, string Group)> PeopleAsync()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        return (ada, bob, await GroupAsync(ada, bob));
    }

    /// <summary>The event by which services are told of a post.</summary>
    protected static JsonElement? ToldOf(Guid post, JsonElement page) => page.GetProperty("events").EnumerateArray()
        .Where(e => e.GetProperty("type").GetString() == "post:refused" && e.GetProperty("data").GetProperty("postId").GetGuid() == post)
        .Select(e => (JsonElement?)e).SingleOrDefault();
}
