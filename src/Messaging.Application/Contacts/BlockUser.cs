using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using NodaTime;

namespace Messaging.Application.Contacts;

/// <summary>Blocks a user: no text and no notification reaches either user from the other; groups are unaffected.</summary>
[OneTransaction("the block is decided under the pair's lock and applied to conversations")]
public sealed record BlockUser(Actor Actor, UserId UserId) : ITransactionCommand<BlockedUser>;

/// <summary>The block as it stands.</summary>
/// <param name="Created">False where it was there already.</param>
public sealed record BlockedUser(BlockView Block, bool Created);

/// <summary>What one's other devices hear; whom it concerns does not.</summary>
public sealed record BlockChange(UserId UserId, bool Blocked);

/// <summary>A blocked user, and since when.</summary>
public sealed record BlockView(SenderView User, Instant CreatedAt);

public sealed class BlockUserHandler(ConversationStore conversations, PairStore pairs, BlockStore blocks)
    : IRequestHandler<BlockUser, BlockedUser>
{
    public async Task<BlockedUser> Handle(BlockUser command, CancellationToken ct)
    {
        var (one, other) = (command.Actor.RequireUser(), command.UserId);
        Relationship.EnsureOfTwo(one, other);
        await conversations.EnsureThereAsync(other, ct);
        var pair = await pairs.LockToBlockAsync(one, other, ct);
        var created = pair.Block();
        await pairs.SaveAsync(pair, ct);
        await pairs.StopAddingAsync(pair, ct);
        return new BlockedUser((await blocks.ListAsync(one, after: "", other, take: 1, ct)).Single(), created);
    }
}
