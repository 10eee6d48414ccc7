using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Npgsql;

namespace Messaging.Api.Tests.Posts;

/// <summary>What the function refuses at once, and to whom it belongs.</summary>
public sealed class PostFunctionTests : PostFixture
{
    [TestCase("NULL, 'ada', recipient_id => 'bob'", "message is not a JSON object")]
    [TestCase("'[]', 'ada', recipient_id => 'bob'", "message is not a JSON object")]
    [TestCase("""'{"txt": "hello"}', 'ada', recipient_id => 'bob'""", "message has members that are unknown or of another kind: txt")]
    [TestCase("""'{"text": 5}', 'ada', recipient_id => 'bob'""", "message has members that are unknown or of another kind: text")]
    [TestCase(
        """'{"type": "location", "location": {"lat": 1, "longitude": "2"}}', 'ada', recipient_id => 'bob'""",
        "message has members that are unknown or of another kind: location.lat, location.longitude")]
    [TestCase(
        """'{"type": "shared", "reference": {"ttl": 1}}', 'ada', recipient_id => 'bob'""",
        "message has members that are unknown or of another kind: reference.ttl")]
    [TestCase(
        """'{"location.label": "here"}', 'ada', recipient_id => 'bob'""",
        "message has members that are unknown or of another kind: location.label")]
    [TestCase("""'{"text": " "}', 'ada', recipient_id => 'bob'""", "message has no text")]
    [TestCase("""'{"type": "letter"}', 'ada', recipient_id => 'bob'""", "message has an unknown type")]
    [TestCase("jsonb_build_object('text', repeat('x', 300000)), 'ada', recipient_id => 'bob'", "message is larger than 256 KiB")]
    [TestCase(
        """'{"text": "hello", "clientMessageId": ""}', 'ada', recipient_id => 'bob'""", "clientMessageId has not 1 to 64 characters")]
    [TestCase("""'{"text": "hello"}', recipient_id => 'bob'""", "sender_id and type do not go together")]
    [TestCase(
        """'{"type": "system", "text": "hello"}', 'ada', recipient_id => 'bob'""", "sender_id and type do not go together")]
    [TestCase("""'{"type": "system", "text": "hello"}', recipient_id => 'bob'""", "recipient_id without sender_id")]
    [TestCase("""'{"text": "hello"}', 'a b', recipient_id => 'bob'""", "sender_id or recipient_id is not a user id")]
    [TestCase("""'{"text": "hello"}', 'ada'""", "conversation_id and recipient_id are both given, or neither")]
    [TestCase("""'{"text": "hello"}', 'ada', gen_random_uuid(), context => '{}'""", "context without recipient_id")]
    [TestCase(
        """'{"text": "hello"}', 'ada', recipient_id => 'bob', context => '{"type": "order"}'""",
        "context is not an object of a type and an id")]
    [TestCase(
        """'{"text": "hello"}', 'ada', recipient_id => 'bob', context => jsonb_build_object('type', 'order', 'id', repeat('x', 129))""",
        "context is too long")]
    public async Task A_wrong_call_is_refused_at_once(string arguments, string problem)
    {
        await using var host = await Api.Database.DataSource.OpenConnectionAsync();

        var refusal = await Assert.ThrowsAsync<PostgresException>(() => CallAsync(host, $"SELECT messaging.post({arguments})"));

        Assert.That((refusal!.SqlState, refusal.MessageText), Is.EqualTo(("22023", $"messaging.post: {problem}")));
        Assert.That(refusal.Hint, Is.Not.Empty);
    }

    [Test]
    public async Task Whatever_a_send_takes_is_taken()
    {
        await using var host = await Api.Database.DataSource.OpenConnectionAsync();
        var everything = JsonSerializer.Serialize(Everything, MessagingJson.Options);

        Assert.That(
            () => CallAsync(host, "SELECT messaging.post(@Message::jsonb, 'ada', recipient_id => 'bob')", ("Message", everything)),
            Throws.Nothing);
        var refusal = await Assert.ThrowsAsync<PostgresException>(
            () => CallAsync(host, """SELECT messaging.post('{"txt": "hello"}', 'ada', recipient_id => 'bob')"""));
        Assert.That(
            refusal!.Hint!["Known are ".Length..^1].Split(", "),
            Is.EquivalentTo(
            [
                .. Members(typeof(MessageContent)), .. Members(typeof(MessageLocation)).Select(name => $"location.{name}"),
                .. Members(typeof(MessageReference)).Select(name => $"reference.{name}"),
            ]));
    }

    [Test]
    public async Task A_role_posts_only_where_it_was_granted()
    {
        await using var stranger = await HostAsync(grants: "");

        var refusal = await Assert.ThrowsAsync<PostgresException>(
            () => CallAsync(stranger, """SELECT messaging.post('{"text": "hello"}', 'ada', recipient_id => 'bob')"""));

        Assert.That(refusal!.SqlState, Is.EqualTo(PostgresErrorCodes.InsufficientPrivilege));
    }

    [Test]
    public async Task A_host_sees_its_own_posts_and_no_tables()
    {
        var (ada, _, group) = await PeopleAsync();
        await CallAsync(ada, group, "of another host");
        await using var host = await HostAsync(Grants);

        var post = await CallAsync(host, ada, group);

        await using var own = new NpgsqlCommand("SELECT string_agg(id::text, ' ') FROM messaging.posts", host);
        Assert.That(await own.ExecuteScalarAsync(), Is.EqualTo(post.ToString()));
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => CallAsync(host, "SELECT id FROM host_posts"));
        Assert.That(refusal!.SqlState, Is.EqualTo(PostgresErrorCodes.InsufficientPrivilege));
    }

    // What acts with its owner's rights takes nothing from where its caller may put something.
    [Test]
    public async Task A_caller_s_search_path_is_not_looked_into()
    {
        var (ada, _, group) = await PeopleAsync();
        await using var host = await HostAsync(Grants);
        await using (var trap = new NpgsqlCommand(
            """
            CREATE TEMP TABLE host_posts (id uuid DEFAULT gen_random_uuid(), posted_by text, sender_id text, conversation_id uuid,
                recipient_id text, context jsonb, message jsonb);
            CREATE FUNCTION pg_temp.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END';
            SET search_path = pg_temp, pg_catalog, public;
            """, host))
            await trap.ExecuteNonQueryAsync();

        var post = await CallAsync(host, ada, group);

        await using var state = new NpgsqlCommand($"SELECT count(*) FROM messaging.posts WHERE id = '{post}'", host);
        Assert.That(await state.ExecuteScalarAsync(), Is.EqualTo(1));
    }

    static readonly MessageContent Everything = new(
        "one", MessageType.Shared, "hello", new JsonText("""{"order": 4711}"""), new MessageId(Guid.NewGuid()), [new UserId("bob")],
        [new AttachmentId(Guid.NewGuid())], new MessageLocation(1, 2, "here"),
        new MessageReference("order", "1", "Order", "https://shop.example/1", "https://shop.example/1.png"))
    {
        Silent = true,
    };

    static IEnumerable<string> Members(Type type) => MessagingJson.Options.GetTypeInfo(type).Properties.Select(member => member.Name);

    const string Grants =
        """
        GRANT USAGE ON SCHEMA messaging TO {0};
        GRANT EXECUTE ON FUNCTION messaging.post TO {0};
        GRANT SELECT ON messaging.posts TO {0};
        """;

    // A role of its own in a session of its own.
    async Task<NpgsqlConnection> HostAsync(string grants)
    {
        var role = $"host_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 'secret';" + grants.Replace("{0}", role, StringComparison.Ordinal));
        var settings = new NpgsqlConnectionStringBuilder(Api.Database.ConnectionString)
        {
            Username = role, Password = "secret", Pooling = false,
        };
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }
}
