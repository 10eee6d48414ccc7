using Messaging.Application.Messages;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Reactions;

/// <summary>One emoji on a message, as a message shows it.</summary>
/// <param name="Emoji">In its one form: a sequence of Unicode's list, fully qualified, or a host's own <c>:name:</c>.</param>
/// <param name="Count">How many have reacted with it.</param>
/// <param name="Mine">Whether the viewer is among them.</param>
/// <param name="UserIds">The first ten of them.</param>
public sealed record ReactionView(string Emoji, int Count, bool Mine, IReadOnlyList<UserId> UserIds);

/// <summary>Who has reacted with what.</summary>
public sealed record ReactionItem(string Emoji, SenderView User, Instant CreatedAt);

/// <summary>What <c>message:reaction</c> tells.</summary>
/// <param name="Count">How many have this emoji on the message now.</param>
public sealed record ReactionValues(MessageId MessageId, string Emoji, UserId UserId, bool Added, int Count);
