using Messaging.Benchmarks.Load;

namespace Messaging.Benchmarks.Reading;

/// <summary>Asks for one of some pages by chance, over HTTP.</summary>
/// <param name="orEmpty">Whether a page without items is a good one.</param>
sealed class PageReader(HttpConnection connection, byte[][] requests, int number, bool orEmpty = false) : IDisposable
{
    readonly Random random = new(number);

    /// <summary>True for the page that is expected.</summary>
    public async ValueTask<bool> ReadAsync() =>
        await connection.AskAsync(requests[random.Next(requests.Length)]) == 200
            && (orEmpty || connection.Answer.IndexOf("\"items\":[{"u8) > 0);

    /// <summary>Fails on an answer that is no page, and shows it.</summary>
    public async Task TryAsync()
    {
        if (!await ReadAsync())
            throw new InvalidOperationException($"No page: {System.Text.Encoding.UTF8.GetString(connection.Answer)}");
    }

    public void Dispose() => connection.Dispose();
}
