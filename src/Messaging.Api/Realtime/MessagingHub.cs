using System.Text.Json;
using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Errors;
using Messaging.Api.RateLimiting;
using Messaging.Api.Security;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Presence;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Messaging.Domain.ServiceKeys;
using Messaging.Infrastructure.Presence;
using Microsoft.AspNetCore.SignalR;

namespace Messaging.Api.Realtime;

/// <summary>
/// What clients may call. The same requests as over REST; arguments are read here, so that what is wrong with them is told.
/// </summary>
public sealed class MessagingHub(IMediator mediator, Replays replays, LivePresence presence, LiveTyping typing, RateLimits limits) : Hub
{
    public const string Path = "/hubs/messaging";

    /// <summary>The query parameter with the cursor to begin from.</summary>
    public const string CursorParameter = "cursor";

    private const string OwnState = "changes what is one's own; of others' screens at most a pointer, which only rises";

    private Actor Actor => Context.User!.Actor();

    public static bool IsAt(PathString path) => path.StartsWithSegments(Path, StringComparison.OrdinalIgnoreCase);

    public override async Task OnConnectedAsync()
    {
        if (!MessagingLifetime.IsLive(Context.Items))
            throw ConnectionErrors.TooMany(limits.ConnectionsPerUser);
        if (Context.GetHttpContext()!.Request.Query.TryGetValue(CursorParameter, out var cursor))
            await replays.CatchUpAsync(Live(), Actor, FeedCursor.Parse(cursor, CursorParameter), Context.ConnectionAborted);
    }

    public async Task<MessageView> SendMessage(JsonElement conversationId, JsonElement message)
    {
        Begin(Scope.Messages);
        Allow(await limits.Send.TakeAsync(Context.User!.BudgetKey()!, Context.ConnectionAborted));
        var content = Read<MessageContent>(message);
        if (content.Mentions is { } mentions && MentionRules.AreMany(mentions))
            Allow(await limits.ManyMentions.TakeAsync(Context.User!.BudgetKey()!, Context.ConnectionAborted));
        var command = new SendMessage(Actor, ConversationIdOf(conversationId), content);
        return (await mediator.Send(command, Context.ConnectionAborted)).Message;
    }

    /// <summary>Moves one's read pointer forward; without a seq to the newest message.</summary>
    [WithoutSendLimit(OwnState)]
    public Task<PointerState> MarkRead(JsonElement conversationId, JsonElement seq)
    {
        Begin(Scope.Messages);
        long? upTo = seq.ValueKind is JsonValueKind.Null ? null : Read<long>(seq, "seq");
        return mediator.Send(new MarkRead(Actor, ConversationIdOf(conversationId), upTo), Context.ConnectionAborted);
    }

    /// <summary>Tells the others that one is writing, or no more; ends by itself after 5 s.</summary>
    [WithoutSendLimit("said every few seconds while one writes, and gone by itself")]
    public Task Typing(JsonElement conversationId, JsonElement active)
    {
        Begin(Scope.Conversations);
        return typing.SetAsync(ConversationIdOf(conversationId), Actor.RequireUser(), Read<bool>(active, "active"));
    }

    /// <summary>
    /// The present states of those whose presence one may know of; their changes follow, and those of nobody else any more.
    /// </summary>
    [WithoutSendLimit("reads")]
    public async Task<Page<PresenceView>> WatchPresence(JsonElement userIds)
    {
        Begin(Scope.Users);
        var ids = Read<string[]>(userIds, "userIds");
        var asOf = presence.Revision;
        var seen = ids.Length == 0 ? [] : await mediator.Send(new GetLastSeen(Actor, ids), Context.ConnectionAborted);
        return new Page<PresenceView>(presence.Watch(Live(), seen, asOf));
    }

    /// <summary>Whether this connection is unattended; its user is away when all their connections are.</summary>
    [WithoutSendLimit("heard by those alone who watch one's presence")]
    public void SetAway(JsonElement isAway)
    {
        Begin(Scope.Users);
        presence.SetAway(Live(), Read<bool>(isAway, "isAway"));
    }

    /// <summary>Moves one's delivered pointer forward; without a seq to the newest message.</summary>
    [WithoutSendLimit(OwnState)]
    public Task<PointerState> AckDelivered(JsonElement conversationId, JsonElement seq)
    {
        Begin(Scope.Messages);
        long? upTo = seq.ValueKind is JsonValueKind.Null ? null : Read<long>(seq, "seq");
        return mediator.Send(new MarkDelivered(Actor, ConversationIdOf(conversationId), upTo), Context.ConnectionAborted);
    }

    /// <summary>The events missed since the cursor, in order; until the stream ends the connection's live events wait.</summary>
    [WithoutSendLimit("reads")]
    public Task<IAsyncEnumerable<EventEnvelope>> Resume(JsonElement cursor)
    {
        Begin(Scope.Events);
        return replays.ResumeAsync(Live(), Actor, FeedCursor.Parse(Read<string>(cursor, "cursor"), "cursor"), Context.ConnectionAborted);
    }

    private LiveConnection Live() => MessagingLifetime.LiveOf(Context.Items);

    // Counted before it is refused, and of the scope that the same call needs over REST.
    private void Begin(Scope scope)
    {
        Allow(limits.Requests.Take(Context.User!.BudgetKey()!));
        Context.User!.RequireScope(scope);
    }

    private static void Allow(RateLimitState state)
    {
        if (!state.Allowed)
            throw new RuleException(state.Problem);
    }

    // As in a path: what cannot be an id names nothing.
    private static ConversationId ConversationIdOf(JsonElement id) =>
        id.ValueKind is JsonValueKind.String && ConversationId.TryParse(id.GetString(), provider: null, out var result)
            ? result
            : throw CommonErrors.NotFound();

    private static T Read<T>(JsonElement argument, string? member = null)
    {
        try
        {
            return argument.Deserialize<T>(MessagingJson.Options) ?? throw CommonErrors.Invalid(member ?? "", "A value is expected.");
        }
        catch (JsonException e)
        {
            var problems = JsonProblems.Of(e, typeof(T));
            throw new RuleException(member is null ? problems : [problems[0] with { Member = member }]);
        }
    }
}
