using System.Threading.Channels;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Posts;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Posts;

/// <summary>
/// Sends posts: those of one conversation one after the other, in their order; conversations do not wait for each other. A post that
/// cannot be sent just now is tried again, and those behind it wait.
/// </summary>
sealed class PostLines(IServiceScopeFactory scopes, ILogger logger, CancellationToken ct) : IDisposable
{
    // What a batch of the writer holds, and users write at the same time; and conversations that are opened take a connection each.
    private const int AtOnce = 8;

    // Those at the head of a line are here as a whole, of the others only their ids: so many may wait in one line without a memory's or
    // the other lines' loss.
    private const int Loaded = 50;
    private const int MaxBytes = 64 << 20;
    private const int MaxPosts = 2_000_000;

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
    private readonly Dictionary<string, Line> lines = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim places = new(AtOnce);
    private readonly Channel<PostOutcome> outcomes = Channel.CreateUnbounded<PostOutcome>();
    private int waiting;
    private long bytes;

    /// <summary>What was sent or refused, to be recorded.</summary>
    public ChannelReader<PostOutcome> Outcomes => outcomes.Reader;

    public bool HasRoom
    {
        get
        {
            lock (gate)
                return waiting < MaxPosts;
        }
    }

    /// <summary>Adds a post at the end of its conversation's line.</summary>
    /// <param name="direct">The conversation of its two users, where there is one already.</param>
    public void Add(Post post, ConversationId? direct)
    {
        lock (gate)
        {
            var line = LineOf(post, direct ?? post.ConversationId);
            waiting++;
            if (line.Later.Count > 0 || line.Posts.Count >= Loaded || bytes >= MaxBytes)
                line.Later.Enqueue(post.Id);
            else
                Append(line, post);
            if (line.IsSending)
                return;
            line.IsSending = true;
            _ = Task.Run(() => SendAllAsync(line), CancellationToken.None);
        }
    }

    // Those that are still being sent end with an error that nobody waits for.
    public void Dispose() => places.Dispose();

    /// <summary>The name of the direct conversation that a post is for; null if it is for another one.</summary>
    public static string? DirectKey(Post post)
    {
        try
        {
            return post is { ConversationId: null, SenderId: { } sender, RecipientId: { } recipient }
                ? NewConversation.DirectKey(sender, recipient, post.ToContext())
                : null;
        }
        catch (RuleException)
        {
            // Refused when it is sent.
            return null;
        }
    }

    // Under the gate. A direct conversation has a line by its two users, and one by its id once it is there: they are the same line.
    private Line LineOf(Post post, ConversationId? id)
    {
        List<string> names = [.. new[] { DirectKey(post), id?.ToString() }.OfType<string>().DefaultIfEmpty(post.Id.ToString())];
        var line = names.Select(lines.GetValueOrDefault).FirstOrDefault(found => found is not null) ?? new Line();
        names.ForEach(name => Name(line, name));
        return line;
    }

    private void Name(Line line, string name)
    {
        if (lines.TryAdd(name, line))
            line.Names.Add(name);
    }

    // Under the gate.
    private void Append(Line line, Post post)
    {
        line.Posts.Enqueue(post);
        bytes += post.Message.Value.Length;
    }

    private async Task SendAllAsync(Line line)
    {
        try
        {
            while (await NextAsync(line) is { } post)
            {
                var outcome = await SendAsync(post);
                TakeFirst(line, outcome.Message?.ConversationId);
                outcomes.Writer.TryWrite(outcome);
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

    private void TakeFirst(Line line, ConversationId? sentTo)
    {
        lock (gate)
        {
            if (sentTo is { } id)
                Name(line, id.ToString());
            bytes -= line.Posts.Dequeue().Message.Value.Length;
            waiting--;
        }
    }

    private async Task<Post?> NextAsync(Line line)
    {
        while (true)
        {
            List<Guid> ids;
            lock (gate)
            {
                if (line.Posts.TryPeek(out var post))
                    return post;
                if (line.Later.Count == 0)
                {
                    line.Names.ForEach(name => lines.Remove(name));
                    return null;
                }
                ids = [.. line.Later.Take(bytes < MaxBytes ? Loaded : 1)];
            }
            await LoadAsync(line, ids);
        }
    }

    // Those that are gone from the table meanwhile are passed over.
    private async Task LoadAsync(Line line, List<Guid> ids)
    {
        await using var scope = scopes.CreateAsyncScope();
        var session = scope.ServiceProvider.GetRequiredService<DbSession>();
        var loaded = (await session.QueryAsync<Post>(LoadSql, new { Ids = ids.ToArray() }, ct)).ToDictionary(post => post.Id);
        lock (gate)
        {
            foreach (var id in ids)
            {
                line.Later.Dequeue();
                if (loaded.TryGetValue(id, out var post))
                    Append(line, post);
                else
                    waiting--;
            }
        }
    }

    private async Task<PostOutcome> SendAsync(Post post)
    {
        var pause = FirstPause;
        for (var tries = 1; ; tries++)
        {
            await places.WaitAsync(ct);
            try
            {
                return await TryAsync(post);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                if (GivesUp(post, e, tries) is { } problem)
                    return await RefuseAsync(post, problem);
            }
            finally
            {
                places.Release();
            }
            await Task.Delay(pause, ct);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task<PostOutcome> TryAsync(Post post)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            return new(post, await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new SendPost(post), ct), Problem: null);
        }
        catch (RuleException e) when (e.Problem.Code != ProblemCodes.Unavailable)
        {
            return await RefuseAsync(post, e.Problem);
        }
    }

    // A try before, here or on another node, may have sent it without hearing of it, when its sender still could.
    private async Task<PostOutcome> RefuseAsync(Post post, Problem problem)
    {
        await using var scope = scopes.CreateAsyncScope();
        var sent = await scope.ServiceProvider.GetRequiredService<PostStore>().FindSentAsync(post, ct);
        return new(post, sent, sent is null ? problem : null);
    }

    // What is overloaded, or without a database, comes right; without a database the turn ends, and this with it. What never comes right
    // must not stop the conversation's other posts. Neither the exception's message nor the post is logged: both may hold a message's text.
    private Problem? GivesUp(Post post, Exception e, int tries)
    {
        if (e is RuleException || tries < (DatabaseFailures.IsAway(e) ? TriesWithoutDatabase : Tries))
            return null;
        logger.LogError("The post {Id} cannot be sent: {Exception}\n{Stack}", post.Id, e.GetType().Name, e.StackTrace);
        return new(
            ProblemCodes.Internal,
            "This is an error in the service, not in the post; its operator finds the cause in the log by the post's id.");
    }

    private sealed class Line
    {
        public Queue<Post> Posts { get; } = new();

        /// <summary>Those behind.</summary>
        public Queue<Guid> Later { get; } = new();

        public List<string> Names { get; } = [];

        /// <summary>Until it is empty.</summary>
        public bool IsSending { get; set; }
    }
}
