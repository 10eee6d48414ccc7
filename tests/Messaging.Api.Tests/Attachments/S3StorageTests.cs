using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Infrastructure.Attachments;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Attachments;

public sealed class S3StorageTests : AttachmentFixture
{
    private readonly ServerProcess s3 = ServerProcess.S3();

    protected override IEnumerable<(string Name, string? Value)> Settings() =>
    [
        ("Messaging:Storage:Provider", "s3"), ("Messaging:Storage:Endpoint", $"http://127.0.0.1:{s3.Port}"),
        ("Messaging:Storage:Bucket", "messaging"),
        ("Messaging:Storage:AccessKey", "S3RVER"), ("Messaging:Storage:SecretKey", "S3RVER"),
    ];

    [SetUp]
    public Task StartS3Async() => s3.StartAsync();

    [TearDown]
    public Task StopS3Async() => s3.StopAsync();

    [OneTimeTearDown]
    public async Task DisposeAsync() => await s3.DisposeAsync();

    [Test]
    public async Task Files_lie_in_the_bucket_under_the_same_keys_and_are_served_with_ranges()
    {
        var (ada, _, group) = await PeopleAsync();
        var image = await UploadAsync(ada, group, await ImageAsync(400, 300, "png"), "a.png");
        var file = await UploadAsync(ada, group, Pdf);

        Assert.That((await GetFileAsync(image.GetProperty("variants").GetProperty("thumbnail").GetProperty("url")
            .GetString()!)).Content.Headers.ContentLength, Is.GreaterThan(100));
        Assert.That(await (await GetFileAsync(Url(file))).Content.ReadAsByteArrayAsync(), Is.EqualTo(Pdf));
        var middle = await GetFileAsync(Url(file), ("Range", "bytes=5-8"));
        Assert.That(((int)middle.StatusCode, await middle.Content.ReadAsStringAsync()), Is.EqualTo((206, "1.4 ")));
        Assert.That(
            await Api.Database.RowsAsync(
                $"SELECT f ->> 'key' FROM attachments, jsonb_array_elements(files) AS f WHERE id = '{Id(image)}'", row => row.GetString(0)),
            Has.Exactly(3).Matches($"^{group}/{Id(image)}/[0-9a-f]{{32}}_(original|medium|thumbnail)\\.png$"));
        Assert.That(Directory.EnumerateFiles(Api.FilesFolder, "*", SearchOption.AllDirectories), Is.Empty);
    }

    [Test]
    public async Task While_the_storage_is_away_files_are_503_and_everything_else_works()
    {
        var (ada, bob, group) = await PeopleAsync();
        var file = await UploadAsync(ada, group, Pdf);
        await s3.StopAsync();

        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, Pdf)), Is.EqualTo("503 unavailable"));
        Assert.That(await RefusalAsync(GetFileAsync(Url(file))), Is.EqualTo("503 unavailable"));
        await SendFilesAsync(ada, group, "file", Id(file));
        Assert.That((int)(await Api.ClientFor(bob).GetAsync($"/v1/conversations/{group}/messages")).StatusCode, Is.EqualTo(200));
        await s3.StartAsync();
        Assert.That((int)(await GetFileAsync(Url(file))).StatusCode, Is.EqualTo(200));
        Assert.That(await Api.Database.RowsAsync("SELECT id FROM attachments WHERE NOT is_stored", _ => 0), Is.Empty);
    }

    [Test]
    public async Task Files_are_removed_from_the_storage_even_if_it_was_away_for_a_while()
    {
        var (ada, _, group) = await PeopleAsync();
        var (old, young, named) = (await UploadAsync(ada, group, Pdf), await UploadAsync(ada, group, Pdf),
            await UploadAsync(ada, group, Pdf));
        await SendFilesAsync(ada, group, "file", Id(named));
        await Api.Database.RowsAsync(
            $"UPDATE attachments SET created_at = now() - interval '25 hours' WHERE id IN ('{Id(old)}', '{Id(named)}')", _ => 0);
        var keeping = Api.Services.GetRequiredService<FileKeeping>();

        await s3.StopAsync();
        await keeping.CollectAsync(CancellationToken.None);
        await keeping.RemoveAsync(CancellationToken.None);
        Assert.That((int)(await Api.ClientFor(ada).GetAsync($"/v1/attachments/{Id(old)}")).StatusCode, Is.EqualTo(404));
        await s3.StartAsync();
        await keeping.RemoveAsync(CancellationToken.None);

        Assert.That(await Api.Database.RowsAsync("SELECT key FROM file_removals", _ => 0), Is.Empty);
        var kept = Directory.EnumerateFiles(s3.Folder, "*", SearchOption.AllDirectories).ToList();
        Assert.That(kept, Has.None.Contains(Id(old)));
        foreach (var one in new[] { young, named })
        {
            Assert.That((int)(await GetFileAsync(Url(one))).StatusCode, Is.EqualTo(200));
            Assert.That(kept, Has.Some.Contains(Id(one)));
        }
    }
}
