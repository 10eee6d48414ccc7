using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;

namespace Messaging.Application.Posts;

/// <summary>
/// Sends what a host has posted, by the rules of any other message of its sender. May be repeated: the message is there once. Members of
/// refusals are those of <c>messaging.post</c>.
/// </summary>
public sealed record SendPost(Post Post) : ICommand<PostedMessage>;

public sealed class SendPostHandler(IMediator mediator, PostStore posts, ConversationStore conversations)
    : IRequestHandler<SendPost, PostedMessage>
{
    public async Task<PostedMessage> Handle(SendPost command, CancellationToken ct)
    {
        var post = command.Post;
        var actor = new Actor(post.SenderId);
        try
        {
            if (post.ConversationId is { } id)
                return new(id, (await mediator.Send(new SendMessage(actor, id, post.ToContent()), ct)).Message.Id);
            return await SendDirectAsync(actor.RequireUser(), post, ct);
        }
        catch (RuleException refusal) when (refusal.Problem.Member is { } member)
        {
            throw new RuleException(refusal.Problem with { Member = Argument(post, member) });
        }
    }

    private async Task<PostedMessage> SendDirectAsync(UserId sender, Post post, CancellationToken ct)
    {
        await conversations.EnsureKnownAsync([sender], _ => "senderId", ct);
        await mediator.Send(new OpenDirect(new Actor(sender), post.RecipientId!.Value, post.ToContext(), post.ToContent()), ct);
        return await posts.FindSentAsync(post, ct) ?? throw new InvalidOperationException("The message was deleted while it was sent.");
    }

    // The message itself is what SendMessage takes, and a member of OpenDirect.
    private static string Argument(Post post, string member) => member switch
    {
        "senderId" => "sender_id",
        "userId" => "recipient_id",
        "" => "message",
        _ when post.ConversationId is null && member.Split('/')[0] is "context" or "message" => member,
        _ => $"message/{member}",
    };
}
