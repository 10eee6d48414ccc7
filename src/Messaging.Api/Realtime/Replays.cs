using System.Runtime.CompilerServices;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Microsoft.AspNetCore.SignalR;

namespace Messaging.Api.Realtime;

/// <summary>
/// Tells a connection what it missed, then lets its live events go on from there. Of one user, one page is read at a time: the
/// connections of a user take turns, since all of them come at once after a break, and none is to be refused for that. The turn ends
/// with the page's reading, so that a slow client holds up none of the others.
/// </summary>
public sealed class Replays(IServiceScopeFactory scopes, HubErrors errors) : IAsyncDisposable
{
    private const int PageSize = 200;

    private readonly UserQueue turns = new(atOnce: null, TimeSpan.FromSeconds(10));

    /// <summary>
    /// For a connection that began with a cursor: refuses a cursor that is expired, else tells what was missed as live events are.
    /// </summary>
    public async Task CatchUpAsync(LiveConnection connection, Actor actor, FeedCursor since, CancellationToken ct)
    {
        await EnsureKnownAsync(since, ct);
        connection.CatchUp(EventsAsync(connection, actor, since, connection.Aborted));
    }

    /// <summary>For a call on an open connection.</summary>
    public async Task<IAsyncEnumerable<EventEnvelope>> ResumeAsync(
        LiveConnection connection, Actor actor, FeedCursor since, CancellationToken ct)
    {
        await EnsureKnownAsync(since, ct);
        if (!await connection.TryBeginReplayAsync())
            throw new RuleException(
                new Problem(ProblemCodes.InvalidRequest, "A Resume is already running on this connection; wait until it ends."));
        return EventsAsync(connection, actor, since, CancellationToken.None);
    }

    /// <summary>Refuses a cursor after which events may be missing.</summary>
    public async Task EnsureKnownAsync(FeedCursor since, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<EventStore>().EnsureKnownAsync(since, ct);
    }

    public ValueTask DisposeAsync() => turns.DisposeAsync();

    private async IAsyncEnumerable<EventEnvelope> EventsAsync(
        LiveConnection connection, Actor actor, FeedCursor since, [EnumeratorCancellation] CancellationToken ct)
    {
        var hasEnded = false;
        try
        {
            while (!hasEnded)
            {
                var page = await ReadAsync(actor, since, ct);
                foreach (var envelope in page.Events)
                {
                    if (connection.IsClosing)
                        throw new HubException($"{ProblemCodes.Unavailable}: The connection is being closed; resume on a new one.");
                    yield return envelope;
                }
                since = page.Cursor;
                hasEnded = !page.HasMore && connection.TryEndReplay(since.Position);
            }
        }
        finally
        {
            // Broken off, by the client or by an error. Live events after the gap would hide it.
            if (!hasEnded)
                connection.Close();
        }
    }

    private async Task<EventPage> ReadAsync(Actor actor, FeedCursor since, CancellationToken ct)
    {
        try
        {
            using var turn = await turns.TryTakeAsync(actor.UserId, ct) ?? throw ConnectionErrors.TooManyReplays();
            await using var scope = scopes.CreateAsyncScope();
            return await scope.ServiceProvider.GetRequiredService<EventStore>().ReadAsync(actor, since, PageSize, ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw errors.Of(e, nameof(MessagingHub.Resume));
        }
    }
}
