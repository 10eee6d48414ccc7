using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Messaging.Testing;

namespace Messaging.Api.Tests.Attachments;

/// <summary>Uploads that begin, and whose file is long in coming.</summary>
public sealed class SlowUploadTests : AttachmentFixture
{
    [Test]
    public async Task What_began_before_its_token_was_revoked_is_not_kept()
    {
        var (ada, _, group) = await PeopleAsync();
        var token = ApiHost.Token(ada, null, ("iat", DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeSeconds()));
        using var upload = new SlowUpload(group);
        var before = Incoming();
        var answer = Api.ClientWithToken(token).PostAsync("/v1/attachments", upload);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!Incoming().Except(before).Any(folder => File.Exists(Path.Combine(folder, "upload"))))
            await timer.WaitForNextTickAsync();

        (await Api.ServiceClient().PostAsync($"/v1/users/{ada}/tokens/revoke", null)).EnsureSuccessStatusCode();
        upload.Finish();

        Assert.That(await RefusalAsync(answer), Is.EqualTo("401 unauthenticated"));
    }

    private string[] Incoming() =>
        Path.Combine(Api.FilesFolder, ".incoming") is var folder && Directory.Exists(folder) ? Directory.GetDirectories(folder) : [];

    /// <summary>An upload of which the beginning comes, and the end when it is told to.</summary>
    private sealed class SlowUpload : HttpContent
    {
        private readonly TaskCompletionSource finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly byte[] beginning;
        private readonly byte[] end = Encoding.ASCII.GetBytes("\r\n--x--\r\n");
        private readonly long length;

        public SlowUpload(string conversation, long? length = null)
        {
            beginning = Encoding.ASCII.GetBytes(
                $"--x\r\nContent-Disposition: form-data; name=\"conversationId\"\r\n\r\n{conversation}\r\n"
                + "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n%PDF-1.4");
            this.length = length ?? beginning.Length + end.Length;
            Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");
        }

        public void Finish() => finished.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(beginning);
            await stream.FlushAsync();
            await finished.Task;
            await stream.WriteAsync(end);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = this.length;
            return true;
        }
    }
}
