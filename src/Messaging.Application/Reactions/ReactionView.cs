using Messaging.Application.Messages;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Reactions;

/// <summary>The reactions to a message with one emoji.</summary>
/// <param name="Emoji">Normalized: a fully qualified Unicode emoji sequence, or a host's own <c>:name:</c>.</param>
/// <param name="Count">Number of users who reacted with it.</param>
/// <param name="Mine">Whether the viewer is among them.</param>
/// <param name="UserIds">The first ten users.</param>
public sealed record ReactionView(string Emoji, int Count, bool Mine, IReadOnlyList<UserId> UserIds);

/// <summary>Who reacted with which emoji.</summary>
public sealed record ReactionItem(string Emoji, SenderView User, Instant CreatedAt);

/// <summary>What <c>message:reaction</c> tells.</summary>
/// <param name="Count">How many have this emoji on the message now.</param>
public sealed record ReactionValues(MessageId MessageId, string Emoji, UserId UserId, bool Added, int Count);
