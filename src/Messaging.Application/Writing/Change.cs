using Messaging.Domain.Common;

namespace Messaging.Application.Writing;

/// <summary>
/// What somebody wants changed in a conversation. Names what it is decided on, and decides once that was read under the locks: by the
/// aggregates alone, without I/O, together with the other changes of its batch.
/// </summary>
/// <param name="place">Whose place alone it changes and locks; null for what takes the conversation.</param>
public abstract class Change(ConversationId conversationId, UserId? place = null)
{
    public ConversationId ConversationId { get; } = conversationId;

    public UserId? Place { get; } = place;

    /// <summary>About how many bytes it writes.</summary>
    public virtual int Size => 0;

    /// <summary>Whether it is written without others: what it locks and writes is much, or may clash with what they do.</summary>
    public virtual bool GoesAlone => false;

    /// <summary>Names what has to be read for it.</summary>
    internal abstract void Require(ChangeSet set);

    /// <summary>
    /// Decides and leaves in the set what follows; refuses, before it has left anything there, by a <see cref="RuleException"/>.
    /// </summary>
    internal abstract void Decide(ChangeSet set);

    /// <summary>
    /// Whether what it needs beside the conversation was not to be had: it comes again, and what else is in the batch does not.
    /// </summary>
    internal virtual bool IsMissed(ChangeSet set) => false;

    /// <summary>Its result is known to others from now on.</summary>
    internal abstract void Complete(ChangeSet set);

    internal abstract void Fail(Exception exception);
}

/// <summary>A change with something to tell of itself.</summary>
public abstract class Change<TResult>(ConversationId conversationId, UserId? place = null) : Change(conversationId, place)
{
    private readonly TaskCompletionSource<TResult> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TResult? result;
    private RuleException? refusal;

    /// <summary>Ends when what was decided is stored, or refused.</summary>
    public Task<TResult> Done => done.Task;

    internal sealed override void Decide(ChangeSet set)
    {
        (result, refusal) = (default, null);
        try
        {
            result = DecideOn(set);
        }
        catch (RuleException e)
        {
            refusal = e;
        }
    }

    internal sealed override void Complete(ChangeSet set)
    {
        if (refusal is null)
            done.TrySetResult(Finish(result!, set));
        else
            done.TrySetException(refusal);
    }

    internal sealed override void Fail(Exception exception) => done.TrySetException(exception);

    protected abstract TResult DecideOn(ChangeSet set);

    /// <summary>Adds to what was decided what was read after it was written.</summary>
    protected virtual TResult Finish(TResult decided, ChangeSet set) => decided;
}
