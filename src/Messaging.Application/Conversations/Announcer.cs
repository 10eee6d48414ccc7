using Messaging.Application.Events;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;

namespace Messaging.Application.Conversations;

/// <summary>Tells of a conversation and its people as they are now, in the transaction that changed them.</summary>
public sealed class Announcer(ConversationViewStore views, ParticipantViewStore people, Outbox outbox)
{
    /// <summary>An event that carries the conversation as everybody sees it.</summary>
    public async Task ConversationAsync(IEvent fact, CancellationToken ct) =>
        await outbox.AppendAsync(fact, (await views.FindAsync(fact.ConversationId, Actor.Service, ct))!, ct);

    /// <summary>That people came in: the conversation to each of them, and each of them to everybody.</summary>
    public async Task ArrivalAsync(ConversationId id, UserId? by, IReadOnlyList<UserId> users, CancellationToken ct)
    {
        var conversation = (await views.FindAsync(id, Actor.Service, ct))!;
        var added = await people.ListAsync(id, users, ct);
        await outbox.AppendAsync<object>(
            [.. added.Select(view => new ConversationCreated(id, view.UserId)), .. added.Select(_ => new ParticipantAdded(id))],
            [.. added.Select(_ => conversation), .. added.Select(view => new ParticipantChange(view, by))],
            ct);
    }

    /// <summary>That people have other roles.</summary>
    public async Task RolesAsync(ConversationId id, UserId? by, IReadOnlyList<UserId> users, CancellationToken ct)
    {
        var changed = await people.ListAsync(id, users, ct);
        if (changed.Count > 0)
        {
            await outbox.AppendAsync(
                [.. changed.Select(_ => new ParticipantUpdated(id))], [.. changed.Select(view => new ParticipantChange(view, by))], ct);
        }
    }

    /// <summary>That somebody is gone: to those who stay, and to the one concerned, who hears nothing else any more.</summary>
    public Task RemovalAsync(ConversationId id, Removal removal, CancellationToken ct) =>
        outbox.AppendAsync([new ParticipantRemoved(id), new ParticipantRemoved(id, removal.UserId)], [removal, removal], ct);
}

/// <summary>Who no longer takes part, and who has put that one out.</summary>
/// <param name="By">Null for the service, oneself for who left.</param>
public sealed record Removal(UserId UserId, UserId? By, bool Banned);
