using Messaging.Domain.Common;

namespace Messaging.Application.Writing;

/// <summary>
/// A change to a conversation. Declares what it requires, and decides once that has been read under the locks: with the aggregates only,
/// without I/O, together with the other changes of its batch.
/// </summary>
/// <param name="place">The user whose membership alone it changes and locks; null if it locks the conversation.</param>
public abstract class Change(ConversationId conversationId, UserId? place = null)
{
    public ConversationId ConversationId { get; } = conversationId;

    public UserId? Place { get; } = place;

    /// <summary>Approximate number of bytes that it writes.</summary>
    public virtual int Size => 0;

    /// <summary>Whether it is written alone: because it locks and writes a lot, or may conflict with others.</summary>
    public virtual bool GoesAlone => false;

    /// <summary>Declares what has to be read for it.</summary>
    internal abstract void Require(ChangeSet set);

    /// <summary>
    /// Decides, and leaves the consequences in the set; refuses with a <see cref="RuleException"/> before it leaves anything.
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

/// <summary>A change with a result.</summary>
public abstract class Change<TResult>(ConversationId conversationId, UserId? place = null) : Change(conversationId, place)
{
    private readonly TaskCompletionSource<TResult> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TResult? result;
    private RuleException? refusal;

    /// <summary>Completes when the decision is stored, or refused.</summary>
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

    /// <summary>Completes the result with what was read back after writing.</summary>
    protected virtual TResult Finish(TResult decided, ChangeSet set) => decided;
}
