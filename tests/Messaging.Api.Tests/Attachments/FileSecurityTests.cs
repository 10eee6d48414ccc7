using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Messaging.Api.Tests.Attachments;

public sealed class FileSecurityTests : AttachmentFixture
{
    [TestCase("<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>", "photo.jpg", "image/jpeg")]
    [TestCase("<html><script>alert(1)</script></html>", "page.png", "image/png")]
    [TestCase("MZ\u0090\0", "setup.pdf", "application/pdf")]
    [TestCase("%PDF-1.4", "movie.mp4", "video/mp4")]
    [TestCase("just text", "sound.mp3", "audio/mpeg")]
    [TestCase("a\0b", "notes.txt", "text/plain")]
    public async Task A_file_whose_bytes_do_not_match_its_type_is_refused(string content, string name, string type)
    {
        var (ada, _, group) = await PeopleAsync();

        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, Encoding.Latin1.GetBytes(content), name, type)),
            Is.EqualTo("415 unsupported-media #/file"));
    }

    [TestCase("application/évil")]
    [TestCase("text")]
    [TestCase("/plain")]
    [TestCase("a/b/c")]
    [TestCase("a/b c")]
    [TestCase("a/b, c/d")]
    [TestCase("a/(b)")]
    public async Task A_declared_type_is_one_of_two_words(string type)
    {
        var (ada, _, group) = await PeopleAsync();

        Assert.That(await RefusalAsync(TryUploadAsAsync(ada, group, type)), Is.EqualTo("400 invalid-request #/file"));
    }

    [TestCase(127, "201")]
    [TestCase(128, "400")]
    public async Task A_declared_type_has_a_length(int length, string status)
    {
        var (ada, _, group) = await PeopleAsync();

        Assert.That($"{(int)(await TryUploadAsAsync(ada, group, "a/".PadRight(length, 'b'))).StatusCode}", Is.EqualTo(status));
    }

    [Test]
    public async Task A_type_that_no_header_could_carry_is_served_as_any_bytes()
    {
        var (ada, _, group) = await PeopleAsync();
        var uploaded = await UploadAsync(ada, group, [0, 1, 2], "a.bin", "application/x-mine");
        await ExecuteAsync(
            "UPDATE attachments SET content_type = 'application/évil', files = jsonb_set(files, '{0,contentType}', '\"application/évil\"') "
            + $"WHERE id = '{Id(uploaded)}'");

        var file = await GetFileAsync(Url(uploaded));

        Assert.That(((int)file.StatusCode, file.Content.Headers.ContentType?.MediaType), Is.EqualTo((200, "application/octet-stream")));
        Assert.That(
            (await Api.ClientFor(ada).GetFromJsonAsync<JsonElement>($"/v1/attachments/{Id(uploaded)}")).GetProperty("contentType")
                .GetString(),
            Is.EqualTo("application/octet-stream"));
    }

    private async Task<HttpResponseMessage> TryUploadAsAsync(string user, string group, string type)
    {
        using var form = new MultipartFormDataContent { { new StringContent(group), "conversationId" } };
        var content = new ByteArrayContent([0, 1, 2]);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        form.Add(content, "file", "a");
        return await Api.ClientFor(user).PostAsync("/v1/attachments", form);
    }

    [TestCase("<svg onload=\"alert(1)\"/>", "a.svg", "image/svg+xml", "image/svg+xml")]
    [TestCase("<script>alert(1)</script>", "a.html", "text/html", "text/html")]
    [TestCase("<script>alert(1)</script>", "a.html", null, "text/plain")]
    [TestCase("%PDF-1.4 <script>", "a.html", null, "application/pdf")]
    public async Task A_file_that_could_run_is_only_ever_downloaded(string content, string name, string? type, string servedAs)
    {
        var (ada, _, group) = await PeopleAsync();

        var file = await GetFileAsync(Url(await UploadAsync(ada, group, Encoding.UTF8.GetBytes(content), name, type)));

        Assert.That((file.Content.Headers.ContentDisposition!.DispositionType, file.Content.Headers.ContentType!.MediaType),
            Is.EqualTo(("attachment", servedAs)));
        Assert.That(file.Headers.GetValues("X-Content-Type-Options"), Is.EqualTo(new[] { "nosniff" }));
        Assert.That(file.Headers.GetValues("Content-Security-Policy").Single(), Does.Contain("sandbox").And.Contain("default-src 'none'"));
    }

    [TestCase("../../etc/passwd", "passwd.pdf")]
    [TestCase("..\\..\\windows\\system.ini", "system.ini.pdf")]
    [TestCase("photo.jpg.exe", "photo.jpg.exe.pdf")]
    [TestCase("invoice\u202Efdp.exe", "invoicefdp.exe.pdf")]
    [TestCase("a\"b;c.pdf", "a_b;c.pdf")]
    [TestCase("...", "file.pdf")]
    [TestCase("résumé 😀.pdf", "résumé 😀.pdf")]
    [TestCase("REPORT.PDF", "REPORT.PDF")]
    public async Task Names_are_made_safe(string given, string kept)
    {
        var (ada, _, group) = await PeopleAsync();
        using var form = new MultipartFormDataContent { { new StringContent(group), "conversationId" } };
        var content = new ByteArrayContent(Pdf);
        content.Headers.TryAddWithoutValidation(
            "Content-Disposition", $"form-data; name=file; filename*=utf-8''{Uri.EscapeDataString(given)}");
        form.Add(content);

        var uploaded = await (await Api.ClientFor(ada).PostAsync("/v1/attachments", form)).Content.ReadFromJsonAsync<JsonElement>();
        var file = await GetFileAsync(Url(uploaded));

        Assert.That(uploaded.GetProperty("fileName").GetString(), Is.EqualTo(kept));
        Assert.That(file.Content.Headers.ContentDisposition!.FileNameStar, Is.EqualTo(kept));
        Assert.That(Directory.EnumerateFiles(Api.FilesFolder, "*", SearchOption.AllDirectories), Has.None.Contains("passwd"));
    }

    [Test]
    public async Task A_signature_holds_for_one_file_one_size_and_a_time()
    {
        var (ada, _, group) = await PeopleAsync();
        var (one, other) = (await UploadAsync(ada, group, Pdf), await UploadAsync(ada, group, Pdf));
        var url = Url(one);

        foreach (var tampered in new[]
        {
            url.Replace(Id(one), Id(other), StringComparison.Ordinal),
            url.Replace("/original", "/medium", StringComparison.Ordinal),
            url.Replace("expires=", "expires=9", StringComparison.Ordinal),
            url[..^2] + (url[^2] == 'A' ? "B" : "A") + url[^1],
            url[..url.IndexOf('?', StringComparison.Ordinal)],
            url[..url.IndexOf("&signature", StringComparison.Ordinal)],
            url + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            url[..(url.IndexOf("signature=", StringComparison.Ordinal) + 10)] + "%25%25",
        })
            Assert.That(await RefusalAsync(GetFileAsync(tampered)), Is.EqualTo("403 not-allowed"), tampered);
        Assert.That((int)(await GetFileAsync(url.Replace(Id(one), Guid.CreateVersion7().ToString(), StringComparison.Ordinal))).StatusCode,
            Is.EqualTo(404));
        Assert.That(
            (int)(await GetFileAsync(url.Replace("/original", "/..%2Foriginal", StringComparison.Ordinal))).StatusCode, Is.AnyOf(403, 404));
        Assert.That((int)(await GetFileAsync(url)).StatusCode, Is.EqualTo(200));

    }

    [TestCase("bytes=0-0,2-3,5-9,1-1")]
    [TestCase("bytes=5-2")]
    [TestCase("bytes=-0")]
    [TestCase("bytes=99999999999999999999-")]
    [TestCase("lines=1-2")]
    [TestCase("bytes=")]
    public async Task Odd_ranges_give_no_more_than_the_file(string range)
    {
        var (ada, _, group) = await PeopleAsync();

        var answer = await GetFileAsync(Url(await UploadAsync(ada, group, Pdf)), ("Range", range));

        Assert.That((int)answer.StatusCode, Is.AnyOf(200, 206, 416));
        var ofFile = (int)answer.StatusCode == 416 ? 0 : (await answer.Content.ReadAsByteArrayAsync()).Length;
        Assert.That(ofFile, Is.LessThanOrEqualTo(Pdf.Length));
    }

    [Test]
    public async Task A_bomb_of_zeros_is_kept_as_it_is_and_never_unpacked()
    {
        var (ada, _, group) = await PeopleAsync();
        using var packed = new MemoryStream();
        using (var zip = new System.IO.Compression.ZipArchive(packed, System.IO.Compression.ZipArchiveMode.Create, leaveOpen: true))
        {
            await using var entry = await zip.CreateEntry("zeros").OpenAsync();
            await entry.WriteAsync(new byte[50_000_000]);
        }

        var uploaded = await UploadAsync(ada, group, packed.ToArray(), "bomb.zip", "application/zip");

        Assert.That(
            (uploaded.GetProperty("category").GetString(), uploaded.GetProperty("size").GetInt64()), Is.EqualTo(("other", packed.Length)));
    }

    [Test]
    public async Task A_signature_ends_with_its_time()
    {
        await using var api = await Messaging.Testing.ApiHost.StartAsync(("Messaging:Storage:UrlLifetime", "00:00:01"));
        var user = "user-of-seconds";
        (await api.ClientFor(user).GetAsync("/v1/me")).EnsureSuccessStatusCode();
        (await api.ClientFor("other").GetAsync("/v1/me")).EnsureSuccessStatusCode();
        var group = (await (await api.ClientFor(user).PostAsJsonAsync("/v1/conversations",
            new { name = "g", participantIds = new[] { "other" } })).Content.ReadFromJsonAsync<JsonElement>())
            .GetProperty("id").GetString()!;
        using var form = new MultipartFormDataContent { { new StringContent(group), "conversationId" },
            { new ByteArrayContent(Pdf), "file", "a.pdf" } };
        var url = Url(await (await api.ClientFor(user).PostAsync("/v1/attachments", form)).Content.ReadFromJsonAsync<JsonElement>());
        using var client = new HttpClient();

        Assert.That(() => (int)client.GetAsync(url).Result.StatusCode, Is.EqualTo(403).After(10_000, 100));
    }
}
