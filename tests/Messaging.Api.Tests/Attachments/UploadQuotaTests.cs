using System.Net;
using Messaging.Application.Common;
using Messaging.Testing;

namespace Messaging.Api.Tests.Attachments;

public sealed class UploadQuotaTests : AttachmentFixture
{
    private static readonly byte[] Small = [.. "%PDF-1.4"u8];

    // Three times Pdf, and not four times.
    protected override IEnumerable<(string Name, string? Value)> Settings() =>
        [("Messaging:Limits:UploadBytesPerDay", "3100"), ("Messaging:Limits:UnnamedFiles", "5")];

    [TestCase(0, 50, "UploadBytesPerDay")]
    [TestCase(1, 4, "UnnamedFiles")]
    [TestCase(1, 10_001, "UnnamedFiles")]
    public void A_limit_that_lets_nobody_upload_is_none(long bytes, int files, string name) =>
        Assert.That(new LimitSettings { UploadBytesPerDay = bytes, UnnamedFiles = files }.Errors().Single(), Does.StartWith(name + ":"));

    [Test]
    public async Task A_users_bytes_end_and_come_again_the_next_day()
    {
        var (ada, bob, group) = await PeopleAsync();
        for (var i = 0; i < 3; i++)
            await UploadAsync(ada, group, Pdf);

        var refused = await TryUploadAsync(ada, group, Pdf);

        Assert.That(await RefusalAsync(Task.FromResult(refused)), Is.EqualTo("429 rate-limited"));
        Assert.That(refused.Headers.RetryAfter!.Delta, Is.InRange(TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)));
        Assert.That(refused.Headers.GetValues("RateLimit").Single(), Does.StartWith("\"upload-bytes\";r=0;t="));
        await UploadAsync(bob, group, Pdf);
        await ExecuteAsync($"UPDATE upload_days SET day = day - 1 WHERE user_id = '{ada}'");
        await UploadAsync(ada, group, Pdf);
    }

    [Test]
    public async Task A_file_of_yesterday_that_is_kept_after_one_of_today_counts_today()
    {
        var (ada, _, group) = await PeopleAsync();
        await ExecuteAsync($"INSERT INTO upload_days (user_id, day, bytes) VALUES ('{ada}', (now() AT TIME ZONE 'UTC')::date + 1, 100)");

        await UploadAsync(ada, group, Pdf);

        var counted = await Api.Database.RowsAsync(
            $"SELECT day > (now() AT TIME ZONE 'UTC')::date AND bytes > 100 FROM upload_days WHERE user_id = '{ada}'",
            row => row.GetBoolean(0));
        Assert.That(counted, Is.EqualTo((bool[])[true]));
    }

    [Test]
    public async Task Uploads_at_once_do_not_pass_the_days_bytes()
    {
        var (ada, _, group) = await PeopleAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => TryUploadAsync(ada, group, Pdf))));

        Assert.That(answers.Count(answer => answer.StatusCode is HttpStatusCode.Created), Is.EqualTo(3));
        Assert.That(answers.Count(answer => answer.StatusCode is HttpStatusCode.TooManyRequests), Is.EqualTo(5));
    }

    [TestCase("a.jpg", "image/jpeg", "422 undecodable-file #/file")]
    [TestCase("a.pdf", "application/pdf", "415 unsupported-media #/file")]
    public async Task Refused_files_count_towards_the_days_bytes(string name, string type, string refusal)
    {
        var (ada, _, group) = await PeopleAsync();
        byte[] damaged = [0xFF, 0xD8, 0xFF, 0xE0, .. new byte[1005]];
        for (var i = 0; i < 3; i++)
            Assert.That(await RefusalAsync(TryUploadAsync(ada, group, damaged, name, type)), Is.EqualTo(refusal));

        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, damaged, name, type)), Is.EqualTo("429 rate-limited"));
    }

    [Test]
    public async Task Files_that_the_storage_failed_to_take_do_not_count()
    {
        var (ada, _, group) = await PeopleAsync();
        var inTheWay = Path.Combine(Api.FilesFolder, group);
        await File.WriteAllTextAsync(inTheWay, "");
        for (var i = 0; i < 4; i++)
            Assert.That(await RefusalAsync(TryUploadAsync(ada, group, Pdf)), Is.EqualTo("503 unavailable"));

        File.Delete(inTheWay);
        for (var i = 0; i < 3; i++)
            await UploadAsync(ada, group, Pdf);
    }

    [Test]
    public async Task Files_wait_for_a_message_until_there_are_too_many()
    {
        var (ada, bob, group) = await PeopleAsync();
        var first = await UploadAsync(ada, group, Small);
        for (var i = 1; i < 5; i++)
            await UploadAsync(ada, group, Small);

        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, Small)), Is.EqualTo("409 limit-reached"));
        Assert.That(await RefusalAsync(TryUploadAsync(ada, await GroupAsync(ada, bob), Small)), Is.EqualTo("409 limit-reached"));
        await UploadAsync(bob, group, Small);
        await SendFilesAsync(ada, group, "file", Id(first));
        await UploadAsync(ada, group, Small);
    }

    [Test]
    public async Task Uploads_at_once_do_not_pass_the_number_of_files_that_wait()
    {
        var (ada, _, group) = await PeopleAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() => TryUploadAsync(ada, group, Small))));

        Assert.That(answers.Count(answer => answer.StatusCode is HttpStatusCode.Created), Is.EqualTo(5));
        Assert.That(answers.Count(answer => answer.StatusCode is HttpStatusCode.Conflict), Is.EqualTo(7));
    }
}
