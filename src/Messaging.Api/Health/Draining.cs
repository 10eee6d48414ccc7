using Messaging.Application.Common;

namespace Messaging.Api.Health;

/// <summary>A step of the way down while requests are still served, such as telling sockets to go elsewhere. Registered in DI.</summary>
public delegate Task DrainStep(CancellationToken ct);

/// <summary>Whether the service is on its way down: it serves what comes, but asks for nothing more.</summary>
public sealed class Draining
{
    public bool HasBegun { get; private set; }

    public void Begin() => HasBegun = true;
}

/// <summary><c>Messaging__Shutdown__*</c>; all in all the way down stays below 20 s.</summary>
public sealed class ShutdownSettings : ISettings
{
    public static string Section => "Messaging:Shutdown";

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(19);

    /// <summary>Between readiness going off and the first step, for load balancers to notice.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>For all drain steps together.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(7);

    /// <summary>For requests that are under way when listening ends.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(9);

    public IEnumerable<string> Errors()
    {
        if (StopTimeout < TimeSpan.FromSeconds(1))
            yield return "StopTimeout: 00:00:01 or more is expected.";
        // What is left is for the end itself. Span by span: the sum of what somebody writes may be beyond a span.
        if (Delay > Longest || DrainTimeout > Longest - Delay || StopTimeout > Longest - Delay - DrainTimeout)
            yield return $"Delay: with DrainTimeout and StopTimeout at most {Longest} is expected, since all must be over within 20 s.";
    }
}
