using System.Net;
using System.Net.Sockets;
using System.Text;
using Messaging.Testing;

namespace Messaging.Api.Tests.Attachments;

/// <summary>Uploads that begin, and whose file is long in coming.</summary>
public sealed class SlowUploadTests : AttachmentFixture
{
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(10);

    protected override IEnumerable<(string Name, string? Value)> Settings() => [("Messaging:Limits:UploadBytesPerDay", "3100")];

    [Test]
    public async Task A_few_uploads_of_a_user_are_received_at_once_and_some_more_wait()
    {
        var (ada, bob, group) = await PeopleAsync();
        var before = Incoming();
        using var crowd = new Crowd(Api.Address, group, AsItself(ada), As(ada));

        Assert.That(await crowd.RefusalAsync(), Does.Match("^429 rate-limited, again in [1-9][0-9]* s$"));
        Assert.That(Incoming().Except(before).Count(), Is.LessThanOrEqualTo(3));
        await UploadAsync(bob, group, Pdf);
    }

    [Test]
    public async Task Uploads_whose_clients_go_away_leave_their_places()
    {
        var (ada, _, group) = await PeopleAsync();
        using (var crowd = new Crowd(Api.Address, group, AsItself(ada)))
            await crowd.RefusalAsync();

        var kept = UntilAsync(async () => (await TryUploadAsync(ada, group, Pdf)).StatusCode is HttpStatusCode.Created);

        Assert.That(async () => await kept.WaitAsync(AtOnce), Throws.Nothing);
    }

    [Test]
    public async Task An_upload_announced_as_larger_than_the_days_quota_is_refused_before_its_bytes_arrive()
    {
        var (ada, _, group) = await PeopleAsync();
        using var upload = new SlowUpload(Api.Address, AsItself(ada), group, length: 1_000_000);

        Assert.That(await upload.RefusalAsync().WaitAsync(AtOnce), Does.StartWith("429 rate-limited"));
    }

    [Test]
    public async Task An_upload_that_began_before_its_token_was_revoked_is_not_kept()
    {
        var (ada, _, group) = await PeopleAsync();
        var token = ApiHost.Token(ada, null, ("iat", DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeSeconds()));
        var before = Incoming();
        using var upload = new SlowUpload(Api.Address, $"Authorization: Bearer {token}", group);
        await UntilAsync(() => Task.FromResult(Incoming().Except(before).Any(folder => File.Exists(Path.Combine(folder, "upload")))));

        (await Api.ServiceClient().PostAsync($"/v1/users/{ada}/tokens/revoke", null)).EnsureSuccessStatusCode();
        await upload.FinishAsync();

        Assert.That(await upload.RefusalAsync(), Is.EqualTo("401 unauthenticated"));
    }

    private static string AsItself(string user) => $"Authorization: Bearer {ApiHost.Token(user)}";

    private static string As(string user) => $"X-Api-Key: {ApiHost.ServiceKey}\r\nX-User-Id: {user}";

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await holds())
            await timer.WaitForNextTickAsync();
    }

    private string[] Incoming() =>
        Path.Combine(Api.FilesFolder, ".incoming") is var folder && Directory.Exists(folder) ? Directory.GetDirectories(folder) : [];

    /// <summary>As many uploads at once as are received and wait, and one more; by several ways to say who one is, in turns.</summary>
    private sealed class Crowd(Uri api, string conversation, params string[] callers) : IDisposable
    {
        private readonly SlowUpload[] uploads =
            [.. Enumerable.Range(0, 24).Select(n => new SlowUpload(api, callers[n % callers.Length], conversation))];

        /// <summary>What is said at once to the one for whom there is no place.</summary>
        public async Task<string> RefusalAsync() =>
            await await Task.WhenAny(uploads.Select(upload => upload.RefusalAsync())).WaitAsync(AtOnce);

        public void Dispose() => Array.ForEach(uploads, upload => upload.Dispose());
    }

    /// <summary>
    /// An upload of which the beginning comes, and the end when it is told to. By a socket: the framework's client reads no answer before
    /// it has sent everything.
    /// </summary>
    private sealed class SlowUpload : IDisposable
    {
        private static readonly byte[] End = Encoding.ASCII.GetBytes("\r\n--x--\r\n");

        private readonly TcpClient client;

        public SlowUpload(Uri api, string caller, string conversation, long? length = null)
        {
            var beginning =
                $"--x\r\nContent-Disposition: form-data; name=\"conversationId\"\r\n\r\n{conversation}\r\n"
                + "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n%PDF-1.4";
            client = new TcpClient(api.Host, api.Port);
            client.GetStream().Write(Encoding.ASCII.GetBytes(
                $"POST /v1/attachments HTTP/1.1\r\nHost: {api.Authority}\r\n{caller}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
                + $"Content-Length: {length ?? beginning.Length + End.Length}\r\n\r\n{beginning}"));
        }

        public ValueTask FinishAsync() => client.GetStream().WriteAsync(End);

        /// <summary>Status, code, and when to come again.</summary>
        public async Task<string> RefusalAsync()
        {
            var (text, buffer) = ("", new byte[4096]);
            while (!text.Contains('}', StringComparison.Ordinal))
            {
                var read = await client.GetStream().ReadAsync(buffer);
                text += read > 0 ? Encoding.UTF8.GetString(buffer, 0, read) : throw new IOException($"The answer ends early: {text}");
            }
            var again = After(text, "Retry-After: ");
            return $"{After(text, "HTTP/1.1 ")} {After(text, "\"code\":\"")}" + (again is "" ? "" : $", again in {again} s");
        }

        public void Dispose() => client.Dispose();

        private static string After(string text, string name)
        {
            var at = text.IndexOf(name, StringComparison.Ordinal);
            return at < 0 ? "" : string.Concat(text.Skip(at + name.Length).TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c is '-'));
        }
    }
}
