using Messaging.Domain.Common;

namespace Messaging.Api.OpenApi;

/// <summary>Metadata: the codes with which a call may refuse, beside those that follow from its shape.</summary>
public sealed record Refusals(IReadOnlyList<string> Codes);

/// <summary>Metadata: what the call creates can be read nowhere, so that its answer has no <c>Location</c>.</summary>
public sealed record NoAddress;

public static class RefusalConventions
{
    /// <summary>What refuses everything new in a conversation, be it a message or what hangs on one.</summary>
    public static IReadOnlyList<string> NotOpen { get; } =
        [ProblemCodes.Blocked, ProblemCodes.ConversationArchived, ProblemCodes.ConversationClosed, ProblemCodes.RequestPending];

    /// <summary>
    /// Names the codes of the rules that may refuse the call; <see cref="ProblemCodes.VersionMismatch"/> also says that it honours
    /// <c>If-Match</c>. The codes of credentials, shape, limits and failures need no naming.
    /// </summary>
    public static TBuilder Refuses<TBuilder>(this TBuilder builder, params IReadOnlyList<string> codes)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new Refusals(codes));
}
