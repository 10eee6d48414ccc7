using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Posts;

/// <summary>Whose post waits, and for which conversation.</summary>
public record WaitingPost
{
    public required Guid Id { get; init; }

    /// <summary>Null for the service.</summary>
    public UserId? SenderId { get; init; }

    /// <summary>Null for the direct conversation with <see cref="RecipientId"/>.</summary>
    public ConversationId? ConversationId { get; init; }

    public UserId? RecipientId { get; init; }

    public JsonText? Context { get; init; }

    /// <summary>What the direct conversation is about, if anything.</summary>
    /// <exception cref="RuleException">It does not fit.</exception>
    public ConversationContext? ToContext() => Read<ConversationContext>(Context, "context");

    /// <summary>The key of the direct conversation that it is for; null if it is for another one, or for none that can be.</summary>
    public string? Pair()
    {
        try
        {
            return this is { ConversationId: null, SenderId: { } sender, RecipientId: { } recipient }
                ? NewConversation.DirectKey(sender, recipient, ToContext())
                : null;
        }
        catch (RuleException)
        {
            // Refused when it is sent.
            return null;
        }
    }

    // Members of the message are named as those of one that is sent by itself.
    protected static T? Read<T>(JsonText? given, string argument)
    {
        try
        {
            return MessagingJson.Read<T>(given);
        }
        catch (JsonException e)
        {
            // In the parser's words only where these are our own: others hold pieces of the text.
            var isOurs = !e.Message.Contains(".NET", StringComparison.Ordinal) && !e.Message.Contains("Path: ", StringComparison.Ordinal);
            var place = (MessagingJson.PathOf(e) ?? "").TrimStart('$', '.');
            throw CommonErrors.Invalid(
                MemberPath.Of($"{argument}.{place}"),
                isOurs ? e.Message : "There is no such member, or another kind of value is expected.");
        }
    }
}

/// <summary>A message that a host has posted within a transaction of its own, as its row says it.</summary>
public sealed record Post : WaitingPost
{
    public required JsonText Message { get; init; }

    /// <summary>The message. Without a name of its own it has that of the post, by which a second try finds it.</summary>
    /// <exception cref="RuleException">It does not fit.</exception>
    public MessageContent ToContent()
    {
        var content = Read<MessageContent>(Message, argument: "")!;
        return content.ClientMessageId is null ? content with { ClientMessageId = Id.ToString() } : content;
    }
}

/// <summary>What became of a post: a message, or a refusal.</summary>
public sealed record PostOutcome(Guid PostId, PostedMessage? Message, RefusedPost? Refusal);

/// <summary>The message that a post was sent as.</summary>
public sealed record PostedMessage(ConversationId ConversationId, MessageId Id);
