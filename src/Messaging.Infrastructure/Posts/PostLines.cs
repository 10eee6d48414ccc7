using System.Threading.Channels;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Posts;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Posts;

/// <summary>
/// Sends posts: those of one conversation one after the other, in their order; conversations do not wait for each other. A post that
/// cannot be sent just now is tried again, and those behind it wait. What waits is here by its id alone, and is read when its turn comes.
/// </summary>
public sealed class PostLines(IServiceScopeFactory scopes, ILogger logger, CancellationToken ct) : IDisposable
{
    // What a batch of the writer holds, and users write at the same time; and conversations that are opened take a connection each.
    private const int AtOnce = 8;

    // Of up to 256 KiB each.
    private const int PostsOfATurn = 8;

    // So many may wait in one line without a loss of the others', and lines are a hundred times larger than ids.
    private const int MaxPosts = 1_000_000;
    private const int MaxLines = 50_000;

    // Of a failure that is not the database's, and of one that may be.
    private const int Tries = 5;
    private const int TriesWithoutDatabase = 20;

    // Index: pk_host_posts.
    private const string LoadSql =
        """
        SELECT id, sender_id, conversation_id, recipient_id, context, message
        FROM host_posts
        WHERE id = ANY (@Ids) AND done_at IS NULL
        """;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Line> linesOfPairs = new(StringComparer.Ordinal);
    private readonly Dictionary<ConversationId, Line> linesOfConversations = [];
    private readonly SemaphoreSlim places = new(AtOnce);
    private readonly Channel<PostOutcome> outcomes = Channel.CreateUnbounded<PostOutcome>();
    private int waiting;
    private int open;

    /// <summary>What was sent or refused, to be recorded.</summary>
    public ChannelReader<PostOutcome> Outcomes => outcomes.Reader;

    public bool HasRoom
    {
        get
        {
            lock (gate)
                return waiting < MaxPosts && open < MaxLines;
        }
    }

    /// <summary>Adds posts at the ends of their conversations' lines.</summary>
    /// <param name="directs">
    /// The direct conversations among those that they are for, by their two users: some may wait for these since before it was opened.
    /// </param>
    public void Add(IReadOnlyList<WaitingPost> posts, IReadOnlyDictionary<string, ConversationId> directs)
    {
        lock (gate)
        {
            foreach (var (pair, id) in directs)
            {
                if (linesOfPairs.TryGetValue(pair, out var line))
                    SetConversation(line, id);
            }
            foreach (var post in posts)
            {
                var pair = post.Pair();
                Add(post, pair, pair is not null && directs.TryGetValue(pair, out var id) ? id : post.ConversationId);
            }
        }
    }

    // Those that are still being sent end with an error that nobody waits for.
    public void Dispose() => places.Dispose();

    // Under the gate. A direct conversation's line is found by its two users, and by its id once there is one.
    private void Add(WaitingPost post, string? pair, ConversationId? id)
    {
        var line = (pair is null ? null : linesOfPairs.GetValueOrDefault(pair))
            ?? (id is null ? null : linesOfConversations.GetValueOrDefault(id.Value));
        waiting++;
        if (line is not null)
        {
            line.Posts.Enqueue(post.Id);
        }
        else
        {
            open++;
            line = new Line(post.Id);
            _ = Task.Run(() => SendAllAsync(line), CancellationToken.None);
        }
        if (pair is not null && linesOfPairs.TryAdd(pair, line))
            line.Pair = pair;
        if (id is not null)
            SetConversation(line, id.Value);
    }

    // Under the gate. Two users have another conversation once theirs was deleted and opened again.
    private void SetConversation(Line line, ConversationId id)
    {
        if (!linesOfConversations.TryAdd(id, line))
            return;
        if (line.Conversation is { } before)
            linesOfConversations.Remove(before);
        line.Conversation = id;
    }

    private async Task SendAllAsync(Line line)
    {
        try
        {
            while (FirstOf(line) is { Length: > 0 } ids)
            {
                if (!await TakeTurnAsync(line, ids))
                    await Task.Delay(LengthOf(++line.Pauses), ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Whoever leads next goes on.
        }
        catch (Exception e)
        {
            // Ends this turn; the next one reads again what waits.
            outcomes.Writer.TryComplete(e);
        }
    }

    private async Task<bool> TakeTurnAsync(Line line, Guid[] ids)
    {
        await places.WaitAsync(ct);
        try
        {
            return await SendAsync(line, ids);
        }
        catch (Exception e) when (!ct.IsCancellationRequested && DatabaseFailures.IsAway(e))
        {
            // They could not be read; or it could not be seen whether one that was refused had been sent before.
            return false;
        }
        finally
        {
            places.Release();
        }
    }

    // None is left: the line ends.
    private Guid[] FirstOf(Line line)
    {
        lock (gate)
        {
            if (line.Posts.Count == 0)
            {
                if (line.Pair is { } pair)
                    linesOfPairs.Remove(pair);
                if (line.Conversation is { } id)
                    linesOfConversations.Remove(id);
                open--;
            }
            return [.. line.Posts.Take(PostsOfATurn)];
        }
    }

    private void TakeFirst(Line line, ConversationId? sentTo)
    {
        lock (gate)
        {
            if (sentTo is { } id)
                SetConversation(line, id);
            line.Posts.Dequeue();
            (line.Failures, line.Pauses) = (0, 0);
            waiting--;
        }
    }

    // False for one that is to be tried again. Those that are gone from the table meanwhile are passed over.
    private async Task<bool> SendAsync(Line line, Guid[] ids)
    {
        var posts = await LoadAsync(ids);
        foreach (var id in ids)
        {
            PostOutcome? outcome = null;
            if (posts.TryGetValue(id, out var post))
            {
                outcome = await TryAsync(line, post);
                if (outcome is null)
                    return false;
                outcomes.Writer.TryWrite(outcome);
            }
            TakeFirst(line, outcome?.Message?.ConversationId);
        }
        return true;
    }

    private async Task<Dictionary<Guid, Post>> LoadAsync(Guid[] ids)
    {
        await using var scope = scopes.CreateAsyncScope();
        var session = scope.ServiceProvider.GetRequiredService<DbSession>();
        return (await session.QueryAsync<Post>(LoadSql, new { Ids = ids }, ct)).ToDictionary(post => post.Id);
    }

    // Null if it is to be tried again.
    private async Task<PostOutcome?> TryAsync(Line line, Post post)
    {
        Problem problem;
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            return new(post.Id, await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new SendPost(post), ct), Refusal: null);
        }
        catch (RuleException e) when (e.Problem.Code != ProblemCodes.Unavailable)
        {
            problem = e.Problem;
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            line.Failures++;
            if (GivesUp(post, e, line.Failures) is not { } given)
                return null;
            problem = given;
        }
        return await RefuseAsync(post, problem);
    }

    // A try before, here or on another node, may have sent it without hearing of it, when its sender still could.
    private async Task<PostOutcome> RefuseAsync(Post post, Problem problem)
    {
        await using var scope = scopes.CreateAsyncScope();
        var sent = await scope.ServiceProvider.GetRequiredService<PostStore>().FindSentAsync(post, ct);
        return new(post.Id, sent, sent is null ? RefusedPost.For(post, problem) : null);
    }

    // What is overloaded, or without a database, comes right; without a database the turn ends, and this with it. What never comes right
    // must not stop the conversation's other posts. Neither the exception's message nor the post is logged: both may hold a message's text.
    private Problem? GivesUp(Post post, Exception e, int failures)
    {
        if (e is RuleException || failures < (DatabaseFailures.IsAway(e) ? TriesWithoutDatabase : Tries))
            return null;
        logger.LogError("The post {Id} cannot be sent: {Exception}\n{Stack}", post.Id, e.GetType().Name, e.StackTrace);
        return new(
            ProblemCodes.Internal,
            "This is an error in the service, not in the post; its operator finds the cause in the log by the post's id.");
    }

    private static TimeSpan LengthOf(int pauses)
    {
        var pause = FirstPause * Math.Pow(2, Math.Min(pauses, 30) - 1);
        return pause < LongestPause ? pause : LongestPause;
    }

    private sealed class Line(Guid first)
    {
        public Queue<Guid> Posts { get; } = new([first]);

        /// <summary>Null unless it is a direct conversation's, found by its two users.</summary>
        public string? Pair { get; set; }

        public ConversationId? Conversation { get; set; }

        /// <summary>Of sending the first one.</summary>
        public int Failures { get; set; }

        /// <summary>Since one was done.</summary>
        public int Pauses { get; set; }
    }
}
