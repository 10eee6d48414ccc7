using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Messaging.Api.Tests.Attachments;

/// <summary>Who may upload is asked before a byte of the file is looked at.</summary>
public sealed class UploadAdmissionTests : AttachmentFixture
{
    private static readonly byte[] DamagedImage = [0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 3];

    [Test]
    public async Task The_conversation_comes_before_the_file()
    {
        var (ada, _, group) = await PeopleAsync();
        using var form = new MultipartFormDataContent { { new ByteArrayContent(Pdf), "file", "a.pdf" },
            { new StringContent(group), "conversationId" } };

        var answer = await Api.ClientFor(ada).PostAsync("/v1/attachments", form);

        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain("before the part 'file'"));
        Assert.That(await RefusalAsync(Task.FromResult(answer)), Is.EqualTo("400 invalid-request #/conversationId"));
    }

    [Test]
    public async Task Other_form_fields_may_follow_the_file()
    {
        var (ada, _, group) = await PeopleAsync();
        using var form = new MultipartFormDataContent
        {
            { new StringContent(group), "conversationId" },
            { new ByteArrayContent([.. "OggS\0"u8, .. new byte[100]]), "file", "voice.ogg" },
            { new StringContent("1500"), "durationMs" },
        };

        var uploaded = await (await Api.ClientFor(ada).PostAsync("/v1/attachments", form)).Content.ReadFromJsonAsync<JsonElement>();

        Assert.That(uploaded.GetProperty("durationMs").GetInt64(), Is.EqualTo(1500));
    }

    [Test]
    public async Task A_strangers_image_is_not_decoded()
    {
        var (ada, _, group) = await PeopleAsync();

        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, DamagedImage)), Is.EqualTo("422 undecodable-file #/file"));
        Assert.That(
            await RefusalAsync(TryUploadAsync(await UserAsync(), group, DamagedImage)), Is.EqualTo("400 invalid-request #/conversationId"));
    }

    [Test]
    public async Task A_strangers_file_is_not_received()
    {
        var (_, _, group) = await PeopleAsync();
        using var content = new StringContent(
            $"--x\r\nContent-Disposition: form-data; name=\"conversationId\"\r\n\r\n{group}\r\n"
            + "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nwithout an end");
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");

        Assert.That(
            await RefusalAsync(Api.ClientFor(await UserAsync()).PostAsync("/v1/attachments", content)),
            Is.EqualTo("400 invalid-request #/conversationId"));
    }

    [TestCase("close", "409 conversation-closed")]
    [TestCase("archive", "409 conversation-archived")]
    public async Task Where_nothing_can_be_sent_nothing_can_be_uploaded(string action, string refusal)
    {
        var (ada, bob, group) = await PeopleAsync();
        object body = action == "close" ? new { reason = "manual" } : new { };
        (await Api.ClientFor(ada).PostAsJsonAsync($"/v1/conversations/{group}/{action}", body)).EnsureSuccessStatusCode();

        Assert.That(await RefusalAsync(TryUploadAsync(bob, group, DamagedImage)), Is.EqualTo(refusal));
    }

    [Test]
    public async Task Who_may_not_post_may_not_upload()
    {
        var (ada, bob, group) = await PeopleAsync();
        (await Api.ClientFor(ada).PatchAsJsonAsync($"/v1/conversations/{group}", new { policy = new { posting = "admins" } }))
            .EnsureSuccessStatusCode();

        Assert.That(await RefusalAsync(TryUploadAsync(bob, group, Pdf)), Is.EqualTo("403 not-allowed"));
        await UploadAsync(ada, group, Pdf);
    }

    [Test]
    public async Task Slow_mode_is_for_messages_and_not_for_their_files()
    {
        var (ada, bob, group) = await PeopleAsync();
        (await Api.ClientFor(ada).PatchAsJsonAsync($"/v1/conversations/{group}", new { policy = new { slowModeSeconds = 3600 } }))
            .EnsureSuccessStatusCode();
        await SendAsync(bob, group);

        await UploadAsync(bob, group, Pdf);
    }
}
