using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Messaging.Infrastructure.Outbound;
using Messaging.Infrastructure.Webhooks;

namespace Messaging.Api.Tests.Webhooks;

/// <summary>Names that lead where a test says, each time they are looked up elsewhere; the last answer stands. Null is no answer.</summary>
sealed class Names(params IReadOnlyList<string?> answers) : INameResolver
{
    public ConcurrentQueue<string> Asked { get; } = [];

    public Task<IPAddress[]> ResolveAsync(string host, CancellationToken ct)
    {
        var answer = answers[Math.Min(Asked.Count, answers.Count - 1)];
        Asked.Enqueue(host);
        return answer is null
            ? Task.FromException<IPAddress[]>(new SocketException((int)SocketError.TryAgain))
            : Task.FromResult<IPAddress[]>([.. answer.Split(' ').Select(IPAddress.Parse)]);
    }
}
