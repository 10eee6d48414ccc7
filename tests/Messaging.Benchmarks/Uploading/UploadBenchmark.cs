using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using Messaging.Benchmarks.Data;

namespace Messaging.Benchmarks.Uploading;

/// <summary>Many large files at once, and the most memory that the service has taken by then.</summary>
sealed class UploadBenchmark(Bench bench)
{
    const int Uploads = 64;
    const int MiB = 1 << 20;
    const int Bytes = 25 * MiB;
    const int MaxMemory = 300;

    public async Task RunAsync()
    {
        bench.Report.Heading($"upload: POST /v1/attachments, {Uploads} at once, {Bytes / MiB} MiB each");
        var (conversation, user) = await SomewhereAsync();
        var file = new byte[Bytes];
        Random.Shared.NextBytes(file);
        "%PDF-1.7 "u8.CopyTo(file);
        using var client =
            new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{bench.Service.Port}")) };
        client.Timeout = TimeSpan.FromMinutes(5);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", bench.Service.Requests.Token(user));

        var watch = Stopwatch.StartNew();
        var statuses = await Task.WhenAll(Enumerable.Range(0, Uploads).Select(_ => UploadAsync(client, conversation, file)));
        var seconds = watch.Elapsed.TotalSeconds;

        bench.Report.Say($"{Uploads} files in {seconds:0.0} s, {Uploads * (double)Bytes / MiB / seconds:0} MiB/s");
        bench.Report.Check(statuses.All(status => status == 201), $"answers that were not 201: {statuses.Count(status => status != 201)}");
        var peak = await PeakAsync();
        bench.Report.Check(peak < MaxMemory, $"the most memory of the service, in MiB, below {MaxMemory}: {peak:0}");
    }

    async Task<int> UploadAsync(HttpClient client, Guid conversation, byte[] file)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent(conversation.ToString()), "conversationId" },
            { new ByteArrayContent(file), "file", "large.pdf" },
        };
        using var answer = await client.PostAsync("/v1/attachments", form, bench.Stop);
        return (int)answer.StatusCode;
    }

    async Task<double> PeakAsync()
    {
        var line = (await File.ReadAllLinesAsync($"/proc/{bench.Service.Pid}/status", bench.Stop)).First(
            line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024;
    }

    async Task<(Guid Conversation, string User)> SomewhereAsync()
    {
        await using var command = bench.Database.DataSource.CreateCommand(
            "SELECT conversation_id FROM participants WHERE user_id = @User LIMIT 1");
        var user = Shape.UserId(Shape.Busiest);
        command.Parameters.AddWithValue("User", user);
        return ((Guid)(await command.ExecuteScalarAsync(bench.Stop))!, user);
    }
}
