using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Tests.Surface;
using Messaging.Testing;

namespace Messaging.Api.Tests.Attachments;

public sealed class WithoutVipsTests
{
    [Test]
    public async Task Images_are_kept_as_files_and_readiness_says_so()
    {
        await using var database = await TestDatabaseServer.CreateDatabaseAsync(Slices.MigrateAsync);
        var folder = Directory.CreateTempSubdirectory("messaging-files-");
        // Where nothing but the runtime is found.
        var runtime = Path.GetDirectoryName(Environment.ProcessPath!)!;
        using var service = ServiceProcess.Start(
            database.ConnectionString, ("PATH", runtime), ("Messaging__Storage__Path", folder.FullName));
        await service.UntilAsync("/health/ready", HttpStatusCode.OK);
        service.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ApiHost.Token("other"));
        (await service.Client.GetAsync("/v1/me")).EnsureSuccessStatusCode();
        service.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ApiHost.Token("ada"));
        var opened = await service.Client.PostAsJsonAsync("/v1/conversations/direct", new { userId = "other" });
        var conversation = (await opened.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
        using var form = new MultipartFormDataContent { { new StringContent(conversation), "conversationId" },
            { new ByteArrayContent([0xFF, 0xD8, 0xFF, 0xE0]), "file", "a.jpg" } };

        var uploaded = await (await service.Client.PostAsync("/v1/attachments", form)).Content.ReadFromJsonAsync<JsonElement>();
        using var file = await new HttpClient().GetAsync(uploaded.GetProperty("url").GetString());

        Assert.That(
            (await service.Client.GetFromJsonAsync<JsonElement>("/health/ready")).GetProperty("images").GetString(), Is.EqualTo("missing"));
        Assert.That((uploaded.GetProperty("category").GetString(), uploaded.GetProperty("variants").ValueKind),
            Is.EqualTo(("image", JsonValueKind.Null)));
        Assert.That(file.Content.Headers.ContentDisposition!.DispositionType, Is.EqualTo("attachment"));
        folder.Delete(recursive: true);
    }
}
