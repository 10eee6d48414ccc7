using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Messaging.Api.Tests.Contacts;

/// <summary>The same for what stands between two people, where a first message waits for an answer.</summary>
public sealed class RequestReplayTests : ReplayFixture
{
    protected override IEnumerable<(string Name, string? Value)> Settings() => [("Messaging:Policies:DirectMessages", "requests")];

    [Test]
    public async Task A_conversation_that_is_opened_without_a_message() =>
        await ReplayAsync((users, _) => PostAsync(users[0], "/v1/conversations/direct", new { userId = users[3] }));

    [Test]
    public async Task A_first_message_that_waits() => await ReplayAsync((users, _) => AskAsync(users[0], users[3]));

    [TestCase("accept")]
    [TestCase("decline")]
    public async Task A_first_message_that_is_answered(string answer) => await ReplayAsync(async (users, _) =>
    {
        await AskAsync(users[0], users[3]);
        await CallAsync(users[3], HttpMethod.Post, $"/v1/message-requests/{await RequestAsync(users[3])}/{answer}");
    });

    [Test]
    public async Task Two_who_go_on_after_a_yes() => await ReplayAsync(async (users, _) =>
    {
        var id = (await AskAsync(users[0], users[3]))["id"]!.GetValue<string>();
        await CallAsync(users[3], HttpMethod.Post, $"/v1/message-requests/{await RequestAsync(users[3])}/accept");
        await SendAsync(users[3], id, new { text = "hello", mentions = new[] { users[0] } });
        await SendAsync(users[0], id, new { text = "hello again" });
    });

    [Test]
    public async Task Two_who_become_contacts_while_a_message_waits() => await ReplayAsync(async (users, _) =>
    {
        await AskAsync(users[0], users[3]);
        await PostAsync(users[3], "/v1/contacts", new { userId = users[0] });
        await CallAsync(users[0], HttpMethod.Post, $"/v1/contacts/{users[3]}/accept");
        await CallAsync(users[0], HttpMethod.Delete, $"/v1/contacts/{users[3]}");
    });

    [Test]
    public async Task One_who_opens_and_is_asked_by_the_other() => await ReplayAsync(async (users, _) =>
    {
        await PostAsync(users[0], "/v1/conversations/direct", new { userId = users[3] });
        await AskAsync(users[3], users[0]);
        await CallAsync(users[0], HttpMethod.Post, $"/v1/message-requests/{await RequestAsync(users[0])}/accept");
    });

    [Test]
    public async Task A_block_and_its_end() => await ReplayAsync(async (users, _) =>
    {
        await AskAsync(users[0], users[3]);
        await CallAsync(users[3], HttpMethod.Put, $"/v1/blocks/{users[0]}");
        await CallAsync(users[3], HttpMethod.Delete, $"/v1/blocks/{users[0]}");
    });

    [TestCase(false)]
    [TestCase(true)]
    public async Task Two_who_read_while_one_blocks_the_other(bool lifts) => await ReplayAsync(async (users, _) =>
    {
        var id = (await AskAsync(users[0], users[3]))["id"]!.GetValue<string>();
        await CallAsync(users[3], HttpMethod.Post, $"/v1/message-requests/{await RequestAsync(users[3])}/accept");
        await SendAsync(users[3], id, new { text = "one" });
        await SendAsync(users[0], id, new { text = "two" });
        await CallAsync(users[3], HttpMethod.Put, $"/v1/blocks/{users[0]}");
        await CallAsync(users[3], HttpMethod.Post, $"/v1/conversations/{id}/read", "{}");
        await CallAsync(users[0], HttpMethod.Post, $"/v1/conversations/{id}/unread", """{"seq":2}""");
        if (lifts)
            await CallAsync(users[3], HttpMethod.Delete, $"/v1/blocks/{users[0]}");
    });

    [Test]
    public async Task A_first_message_that_is_withdrawn() => await ReplayAsync(async (users, _) =>
    {
        var conversation = await AskAsync(users[0], users[3]);
        var (id, message) = (conversation["id"]!.GetValue<string>(), conversation["lastMessage"]!["id"]!.GetValue<string>());
        await CallAsync(users[0], HttpMethod.Delete, $"/v1/conversations/{id}/messages/{message}");
        await CallAsync(users[3], HttpMethod.Post, $"/v1/message-requests/{await RequestAsync(users[3])}/accept");
    });

    private Task<JsonObject> AskAsync(string from, string to) =>
        PostAsync(from, "/v1/conversations/direct", new { userId = to, message = new { text = "hi" } });

    private async Task<string> RequestAsync(string receiver) =>
        (await Api.ClientFor(receiver)
            .GetFromJsonAsync<JsonObject>("/v1/message-requests?direction=in"))!["items"]![0]!["id"]!.GetValue<string>();
}
