using Messaging.Application.Messages;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Saved;

/// <summary>A message that the caller has saved.</summary>
public sealed record SavedView(MessageView Message, Instant SavedAt);

/// <summary>The data of <c>message:saved</c>; the envelope has the message's seq.</summary>
public sealed record SavedState(MessageId MessageId, ConversationId ConversationId, bool Saved);
