using Messaging.Application.Messages;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Saved;

/// <summary>A message that the caller has saved.</summary>
public sealed record SavedView(MessageView Message, Instant SavedAt);

/// <summary>What <c>message:saved</c> tells; the message's seq is the envelope's.</summary>
public sealed record SavedState(MessageId MessageId, ConversationId ConversationId, bool Saved);
