using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Infrastructure.Attachments;
using Messaging.Infrastructure.Retention;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Attachments;

public sealed class AttachmentTests : AttachmentFixture
{
    [Test]
    public async Task A_file_is_its_uploaders_until_a_message_names_it_and_then_everybodys()
    {
        var (ada, bob, group) = await PeopleAsync();
        var uploaded = await UploadAsync(ada, group, Pdf, "report.pdf", "application/pdf");
        var path = $"/v1/attachments/{Id(uploaded)}";

        Assert.That(
            uploaded.EnumerateObject().Select(member => member.Name),
            Is.EqualTo((string[])["id", "fileName", "contentType", "size", "category", "width", "height", "durationMs", "scan", "variants",
                "url", "downloadCount"]));
        Assert.That(
            (uploaded.GetProperty("fileName").GetString(), uploaded.GetProperty("category").GetString(),
                uploaded.GetProperty("scan").GetString(), uploaded.GetProperty("size").GetInt64()),
            Is.EqualTo(("report.pdf", "document", "skipped", (long)Pdf.Length)));
        Assert.That((int)(await Api.ClientFor(bob).GetAsync(path)).StatusCode, Is.EqualTo(404));
        var sent = await SendFilesAsync(ada, group, "file", Id(uploaded));
        Assert.That(sent.GetProperty("attachments")[0].GetProperty("id").GetString(), Is.EqualTo(Id(uploaded)));
        Assert.That((int)(await Api.ClientFor(bob).GetAsync(path)).StatusCode, Is.EqualTo(200));
        Assert.That((int)(await Api.ClientFor(await UserAsync()).GetAsync(path)).StatusCode, Is.EqualTo(404));
        var history = await Api.ClientFor(bob).GetFromJsonAsync<JsonElement>($"/v1/conversations/{group}/messages");
        Assert.That(await (await GetFileAsync(
            Url(history.GetProperty("items")[1].GetProperty("attachments")[0]))).Content.ReadAsByteArrayAsync(), Is.EqualTo(Pdf));
    }

    [Test]
    public async Task The_order_is_the_uploaders_and_then_that_of_naming()
    {
        var (ada, _, group) = await PeopleAsync();
        var ids = new List<string>();
        foreach (var order in new[] { null, "2", "1", null })
            ids.Add(Id(await UploadAsync(ada, group, Pdf, "a.pdf", null, order is null ? [] : [("sortOrder", order)])));

        var sent = await SendFilesAsync(ada, group, "file", [.. ids]);

        Assert.That(sent.GetProperty("attachments").EnumerateArray().Select(Id), Is.EqualTo(new[] { ids[2], ids[1], ids[0], ids[3] }));
    }

    [Test]
    public async Task Every_attachment_that_a_message_may_not_name_is_refused_in_the_same_words()
    {
        var (ada, bob, group) = await PeopleAsync();
        var other = await GroupAsync(ada, bob);
        var (bobs, elsewhere, used) = (Id(await UploadAsync(bob, group, Pdf)), Id(await UploadAsync(ada, other, Pdf)),
            Id(await UploadAsync(ada, group, Pdf)));
        await SendFilesAsync(ada, group, "file", used);
        var answers = new HashSet<string?>();

        foreach (var id in new[] { bobs, elsewhere, used, Guid.CreateVersion7().ToString() })
        {
            var problem = await (await TrySendAsync(
                ada, group, new { type = "file", attachmentIds = new[] { id } })).Content.ReadFromJsonAsync<JsonElement>();
            Assert.That(problem.GetProperty("errors")[0].GetProperty("pointer").GetString(), Is.EqualTo("#/attachmentIds/0"));
            answers.Add(problem.GetProperty("errors")[0].GetProperty("detail").GetString());
        }

        Assert.That(answers, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Two_messages_at_once_do_not_share_a_file()
    {
        var (ada, _, group) = await PeopleAsync();
        for (var i = 0; i < 5; i++)
        {
            var id = Id(await UploadAsync(ada, group, Pdf));
            var answers = await Task.WhenAll(Enumerable.Range(0, 6)
                .Select(_ => Task.Run(() => TrySendAsync(ada, group, new { type = "file", attachmentIds = new[] { id } }))));
            Assert.That(answers.Count(answer => answer.StatusCode is HttpStatusCode.Created), Is.EqualTo(1));
            Assert.That(answers.Count(answer => answer.StatusCode is HttpStatusCode.BadRequest), Is.EqualTo(5));
        }
        Assert.That(
            (await Api.ClientFor(ada).GetFromJsonAsync<JsonElement>($"/v1/conversations/{group}/messages")).GetProperty("items")
                .EnumerateArray()
                .Skip(1).Select(message => message.GetProperty("attachments").GetArrayLength()),
            Is.EqualTo(new[] { 1, 1, 1, 1, 1 }));
    }

    [TestCase("text", 1, "#/attachmentIds")]
    [TestCase("file", 0, "#/attachmentIds")]
    [TestCase("file", 6, "#/attachmentIds")]
    [TestCase("image", 1, "#/attachmentIds/0")]
    [TestCase("voice", 1, "#/attachmentIds/0")]
    [TestCase("voice", 2, "#/attachmentIds")]
    [TestCase("video", 1, "#/attachmentIds/0")]
    public async Task A_type_takes_its_own_files(string type, int count, string pointer)
    {
        var (ada, _, group) = await PeopleAsync();
        var ids = new List<string>();
        for (var i = 0; i < count; i++)
            ids.Add(Id(await UploadAsync(ada, group, Pdf)));

        Assert.That(
            await RefusalAsync(TrySendAsync(ada, group, new { type, text = type == "text" ? "hi" : null, attachmentIds = ids })),
            Is.EqualTo($"400 invalid-request {pointer}"));
    }

    [Test]
    public async Task A_voice_message_has_its_duration()
    {
        var (ada, _, group) = await PeopleAsync();
        byte[] sound = [.. "OggS"u8, .. new byte[100]];
        var without = await UploadAsync(ada, group, sound, "voice.ogg", "audio/ogg");
        var with = await UploadAsync(ada, group, sound, "voice.ogg", "audio/ogg", ("durationMs", "1500"));

        Assert.That(await RefusalAsync(TrySendAsync(ada, group, new { type = "voice", attachmentIds = new[] { Id(without) } })),
            Is.EqualTo("400 invalid-request #/attachmentIds/0"));
        Assert.That((await SendFilesAsync(ada, group, "voice", Id(with))).GetProperty("attachments")[0].GetProperty("durationMs")
            .GetInt64(), Is.EqualTo(1500));
    }

    [Test]
    public async Task An_upload_that_lacks_something_or_has_too_much_is_refused_with_its_place()
    {
        var (ada, bob, group) = await PeopleAsync();
        var foreign = await GroupAsync(bob, await UserAsync());

        Assert.That(await RefusalAsync(TryUploadAsync(ada, null, Pdf)), Is.EqualTo("400 invalid-request #/conversationId"));
        Assert.That(await RefusalAsync(TryUploadAsync(ada, "x", Pdf)), Is.EqualTo("400 invalid-request #/conversationId"));
        Assert.That(await RefusalAsync(TryUploadAsync(ada, foreign, Pdf)), Is.EqualTo("400 invalid-request #/conversationId"));
        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, null)), Is.EqualTo("400 invalid-request #/file"));
        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, [])), Is.EqualTo("400 invalid-request #/file"));
        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, Pdf, "a", null, ("durationMs", "long"))),
            Is.EqualTo("400 invalid-request #/durationMs"));
        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, Pdf, "a", null, ("durationMs", "-1"))),
            Is.EqualTo("400 invalid-request #/durationMs"));
        Assert.That(
            await RefusalAsync(TryUploadAsync(ada, group, Pdf, "a", null, ("other", "1"))), Is.EqualTo("400 invalid-request #/other"));
        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, Pdf, "a", null, ("conversationId", group))),
            Is.EqualTo("400 invalid-request #/conversationId"));
        Assert.That(await RefusalAsync(Api.ClientFor(ada).PostAsync("/v1/attachments", JsonContent.Create(new { }))),
            Is.EqualTo("415 unsupported-media"));
        Assert.That(await FilesAsync(), Is.Empty);
    }

    [Test]
    public async Task A_body_that_breaks_off_leaves_nothing()
    {
        var (ada, _, group) = await PeopleAsync();
        using var content = new StringContent($"--x\r\nContent-Disposition: form-data; "
            + $"name=\"conversationId\"\r\n\r\n{group}\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; "
            + "filename=\"a\"\r\n\r\nhello");
        content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");

        Assert.That(await RefusalAsync(Api.ClientFor(ada).PostAsync("/v1/attachments", content)), Is.EqualTo("400 invalid-request #"));
    }

    [Test]
    public async Task Files_have_a_size()
    {
        var (ada, _, group) = await PeopleAsync();

        Assert.That(
            await RefusalAsync(TryUploadAsync(ada, group, [.. "%PDF-"u8, .. new byte[26_214_400]])), Is.EqualTo("413 too-large #/file"));
        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, [0xFF, 0xD8, 0xFF, .. new byte[10_485_760]])),
            Is.EqualTo("413 too-large #/file"));
        Assert.That((await UploadAsync(ada, group, [.. "%PDF-"u8, .. new byte[26_214_395]])).GetProperty("size").GetInt64(),
            Is.EqualTo(26_214_400));
    }

    [Test]
    public async Task Size_is_looked_at_before_type()
    {
        var (ada, _, group) = await PeopleAsync();

        Assert.That(
            await RefusalAsync(TryUploadAsync(ada, group, new byte[10_485_760 + 2_048], "a.png", "image/png")),
            Is.EqualTo("413 too-large #/file"));
        Assert.That(
            await RefusalAsync(TryUploadAsync(ada, group, [0xFF, 0xD8, 0xFF, .. new byte[10_485_760]], "a.pdf", "application/pdf")),
            Is.EqualTo("413 too-large #/file"));
        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, new byte[2_048], "a.png", "image/png")),
            Is.EqualTo("415 unsupported-media #/file"));
    }

    [Test]
    public async Task Another_body_is_told_what_to_send()
    {
        var answer = await Api.ClientFor(await UserAsync()).PostAsync("/v1/attachments", JsonContent.Create(new { }));

        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();

        Assert.That((int)answer.StatusCode, Is.EqualTo(415));
        Assert.That(problem.GetProperty("detail").GetString(), Does.Contain("multipart/form-data").And.Not.Contain("application/json"));
    }

    [Test]
    public async Task A_range_that_the_file_does_not_have_is_refused_like_anything_else()
    {
        var (ada, _, group) = await PeopleAsync();

        using var answer = await GetFileAsync(Url(await UploadAsync(ada, group, Pdf)), ("Range", "bytes=999999-"));

        Assert.That(await RefusalAsync(Task.FromResult(answer)), Is.EqualTo("416 range-not-satisfiable"));
        Assert.That(answer.Content.Headers.ContentRange?.Length, Is.EqualTo(Pdf.Length));
        Assert.That(answer.Content.Headers.ContentDisposition, Is.Null);
        Assert.That(answer.Headers.CacheControl?.NoStore, Is.True);
    }

    [Test]
    public async Task Ranges_are_served_and_only_a_first_byte_counts_as_a_download()
    {
        var (ada, _, group) = await PeopleAsync();
        var uploaded = await UploadAsync(ada, group, Pdf);
        var url = Url(uploaded);

        var middle = await GetFileAsync(url, ("Range", "bytes=5-8"));
        var last = await GetFileAsync(url, ("Range", "bytes=-3"));
        var beyond = await GetFileAsync(url, ("Range", "bytes=99999-"));
        var first = await GetFileAsync(url, ("Range", "bytes=0-3"));
        var whole = await GetFileAsync(url);

        Assert.That(((int)middle.StatusCode, middle.Content.Headers.ContentRange!.ToString(), await middle.Content.ReadAsStringAsync()),
            Is.EqualTo((206, $"bytes 5-8/{Pdf.Length}", "1.4 ")));
        Assert.That((await last.Content.ReadAsByteArrayAsync()).Length, Is.EqualTo(3));
        Assert.That((int)beyond.StatusCode, Is.EqualTo(416));
        Assert.That(await first.Content.ReadAsStringAsync(), Is.EqualTo("%PDF"));
        Assert.That(whole.Headers.AcceptRanges, Does.Contain("bytes"));
        Assert.That((int)(await GetFileAsync(url, ("If-None-Match", whole.Headers.ETag!.ToString()))).StatusCode, Is.EqualTo(304));
        Assert.That(
            (await Api.ClientFor(ada).GetFromJsonAsync<JsonElement>($"/v1/attachments/{Id(uploaded)}")).GetProperty("downloadCount")
                .GetInt64(), Is.EqualTo(3));
    }

    [Test]
    public async Task Deleting_the_message_takes_its_files_out_of_reach()
    {
        var (ada, bob, group) = await PeopleAsync();
        var uploaded = await UploadAsync(ada, group, Pdf);
        var message = (await SendFilesAsync(ada, group, "file", Id(uploaded))).GetProperty("id").GetString();

        (await Api.ClientFor(ada).DeleteAsync($"/v1/conversations/{group}/messages/{message}")).EnsureSuccessStatusCode();

        Assert.That((int)(await GetFileAsync(Url(uploaded))).StatusCode, Is.EqualTo(404));
        Assert.That((int)(await Api.ClientFor(bob).GetAsync($"/v1/attachments/{Id(uploaded)}")).StatusCode, Is.EqualTo(404));
        var original = await Api.ServiceClient().GetFromJsonAsync<JsonElement>($"/v1/admin/messages/{message}");
        Assert.That(original.GetProperty("attachments")[0].GetProperty("fileName").GetString(), Is.EqualTo("file.pdf"));
        Assert.That(original.GetProperty("attachments")[0].GetProperty("url").ValueKind, Is.EqualTo(JsonValueKind.Null));
    }

    [Test]
    public async Task Looking_at_the_head_of_a_file_is_no_download()
    {
        var (ada, _, group) = await PeopleAsync();
        var uploaded = await UploadAsync(ada, group, Pdf);
        using var request = new HttpRequestMessage(HttpMethod.Head, Url(uploaded));

        var head = await Api.AnonymousClient().SendAsync(request);

        Assert.That(((int)head.StatusCode, head.Content.Headers.ContentLength), Is.EqualTo((200, (long?)Pdf.Length)));
        Assert.That((await Api.ClientFor(ada).GetFromJsonAsync<JsonElement>($"/v1/attachments/{Id(uploaded)}")).GetProperty("downloadCount")
            .GetInt64(), Is.Zero);
    }

    [Test]
    public async Task The_files_of_a_conversation_that_is_deleted_are_out_of_reach_at_once_and_removed_later()
    {
        var (ada, _, group) = await PeopleAsync();
        var (named, unused) = (await UploadAsync(ada, group, Pdf), await UploadAsync(ada, group, Pdf));
        await SendFilesAsync(ada, group, "file", Id(named));

        (await Api.ClientFor(ada).DeleteAsync($"/v1/conversations/{group}?scope=everyone")).EnsureSuccessStatusCode();

        foreach (var file in new[] { named, unused })
        {
            Assert.That((int)(await GetFileAsync(Url(file))).StatusCode, Is.EqualTo(404));
            Assert.That((int)(await Api.ClientFor(ada).GetAsync($"/v1/attachments/{Id(file)}")).StatusCode, Is.EqualTo(404));
        }
        await Api.Services.GetRequiredService<Purges>().PurgeAsync(CancellationToken.None);
        await Api.Services.GetRequiredService<FileKeeping>().RemoveAsync(CancellationToken.None);
        Assert.That(Directory.EnumerateFileSystemEntries(Api.FilesFolder), Has.None.Contains(group));
    }

    [Test]
    public async Task A_file_of_a_message_deleted_for_oneself_cannot_be_downloaded_by_id()
    {
        var (ada, bob, group) = await PeopleAsync();
        var uploaded = await UploadAsync(ada, group, Pdf);
        var message = (await SendFilesAsync(ada, group, "file", Id(uploaded))).GetProperty("id").GetString();

        (await Api.ClientFor(bob).DeleteAsync($"/v1/conversations/{group}/messages/{message}?scope=me")).EnsureSuccessStatusCode();

        Assert.That((int)(await Api.ClientFor(bob).GetAsync($"/v1/attachments/{Id(uploaded)}")).StatusCode, Is.EqualTo(404));
        Assert.That((int)(await Api.ClientFor(ada).GetAsync($"/v1/attachments/{Id(uploaded)}")).StatusCode, Is.EqualTo(200));
    }

    [Test]
    public async Task An_event_leads_to_the_file_and_not_where_its_sender_points()
    {
        var (ada, bob, group) = await PeopleAsync();
        var uploaded = await UploadAsync(ada, group, Pdf);
        await using var hub = await ConnectAsync(bob);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/conversations/{group}/messages");
        request.Content = JsonContent.Create(new { type = "file", attachmentIds = new[] { Id(uploaded) } });
        request.Headers.Host = "evil.example";

        var sent = await (await Api.ClientFor(ada).SendAsync(request)).Content.ReadFromJsonAsync<JsonElement>();

        Assert.That(Url(sent.GetProperty("attachments")[0]), Does.StartWith("http://evil.example/files/"));
        var heard = await hub.NextAsync("message:new");
        Assert.That(Url(heard.GetProperty("data").GetProperty("attachments")[0]), Does.StartWith(Api.Address.ToString()));
    }

    private Task<List<string>> FilesAsync() => Task.FromResult(
        Directory.EnumerateFiles(Api.FilesFolder, "*", SearchOption.AllDirectories)
            .Where(file => file.Contains(".incoming", StringComparison.Ordinal)).ToList());
}
