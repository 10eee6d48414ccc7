using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Infrastructure.Attachments;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Attachments;

public sealed class FileScanTests : AttachmentFixture
{
    private readonly ServerProcess clamd = ServerProcess.Clamd();

    /// <summary>The string that every scanner takes for a virus, and that is none; in two parts, so that none takes this for one.</summary>
    public static byte[] Eicar { get; } =
        [.. """X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-"""u8, .. "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"u8];

    protected override IEnumerable<(string Name, string? Value)> Settings() => [("Messaging:Scan:ClamdAddress", $"127.0.0.1:{clamd.Port}")];

    [SetUp]
    public Task StartClamdAsync() => clamd.StartAsync();

    [TearDown]
    public Task StopClamdAsync() => clamd.StopAsync();

    [OneTimeTearDown]
    public async Task DisposeAsync() => await clamd.DisposeAsync();

    [Test]
    public async Task A_clean_file_is_kept_and_an_infected_one_is_refused_and_left_nowhere()
    {
        var (ada, _, group) = await PeopleAsync();

        Assert.That((await UploadAsync(ada, group, Pdf)).GetProperty("scan").GetString(), Is.EqualTo("clean"));
        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, Eicar, "a.txt")), Is.EqualTo("422 unsafe-file #/file"));
        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, [.. Pdf, .. Eicar], "a.pdf")), Is.EqualTo("422 unsafe-file #/file"));
        Assert.That(
            Directory.EnumerateFiles(Api.FilesFolder, "*", SearchOption.AllDirectories).Select(File.ReadAllText),
            Has.None.Contains("EICAR"));
    }

    [Test]
    public async Task Of_a_file_whose_message_is_deleted_its_uploader_is_told_no_more()
    {
        var (ada, _, group) = await PeopleAsync();
        await clamd.StopAsync();
        var cursor = await CursorAsync(ada);
        var message = await SendFilesAsync(ada, group, "file", Id(await UploadAsync(ada, group, Pdf, "wombat.pdf")));
        await clamd.StartAsync();
        await Api.Services.GetRequiredService<FileKeeping>().ScanAsync(CancellationToken.None);
        (await Api.ClientFor(ada).DeleteAsync($"/v1/conversations/{group}/messages/{Id(message)}")).EnsureSuccessStatusCode();
        await Api.Database.DrainedAsync();

        var told = (await SyncAsync(ada, cursor)).GetProperty("events").GetRawText();

        Assert.That(told, Does.Contain("message:deleted").And.Not.Contain("wombat.pdf").And.Not.Contain("attachment:ready"));
    }

    [Test]
    public async Task A_file_beyond_the_scanners_limits_is_refused_as_unsafe()
    {
        var (ada, _, group) = await PeopleAsync();

        Assert.That(
            await RefusalAsync(TryUploadAsync(ada, group, [.. Pdf, .. new byte[22_000_000]])), Is.EqualTo("422 unsafe-file #/file"));
    }

    [Test]
    public async Task While_the_scanner_is_away_nobody_gets_the_file_and_afterwards_its_uploader_is_told()
    {
        var (ada, bob, group) = await PeopleAsync();
        await clamd.StopAsync();
        var (good, bad) = (await UploadAsync(ada, group, Pdf), await UploadAsync(ada, group, [.. Pdf, .. Eicar]));
        await SendFilesAsync(ada, group, "file", Id(good), Id(bad));
        Assert.That((good.GetProperty("scan").GetString(), good.GetProperty("url").ValueKind), Is.EqualTo(("pending", JsonValueKind.Null)));
        await Api.Database.DrainedAsync();
        await using var adas = await ConnectAsync(ada);
        await using var bobs = await ConnectAsync(bob);

        await clamd.StartAsync();
        await Api.Services.GetRequiredService<FileKeeping>().ScanAsync(CancellationToken.None);
        await Api.Services.GetRequiredService<FileKeeping>().RemoveAsync(CancellationToken.None);

        var told = new[] { await adas.NextAsync("attachment:ready"), await adas.NextAsync("attachment:ready") }.Select(
            e => e.GetProperty("data"))
            .ToDictionary(data => Id(data), data => data.GetProperty("scan").GetString());
        Assert.That(told, Is.EquivalentTo(new Dictionary<string, string> { [Id(good)] = "clean", [Id(bad)] = "infected" }));
        var clean = await Api.ClientFor(bob).GetFromJsonAsync<JsonElement>($"/v1/attachments/{Id(good)}");
        var infected = await Api.ClientFor(bob).GetFromJsonAsync<JsonElement>($"/v1/attachments/{Id(bad)}");
        Assert.That((int)(await GetFileAsync(Url(clean))).StatusCode, Is.EqualTo(200));
        Assert.That((infected.GetProperty("scan").GetString(), infected.GetProperty("url").ValueKind),
            Is.EqualTo(("infected", JsonValueKind.Null)));
        Assert.That(Directory.EnumerateFiles(Api.FilesFolder, "*", SearchOption.AllDirectories), Has.None.Contains(Id(bad)));
        await SendAsync(ada, group, "the end");
        var heard = await bobs.UntilAsync(e => e.GetProperty("type").GetString() == "message:new");
        Assert.That(heard.Select(e => e.GetProperty("type").GetString()), Has.None.EqualTo("attachment:ready"));
    }
}
