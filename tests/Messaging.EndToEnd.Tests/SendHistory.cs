using System.Collections.Concurrent;
using System.Diagnostics;

namespace Messaging.EndToEnd.Tests;

/// <summary>A send that was acknowledged, and when it was begun and answered, all tries together.</summary>
sealed record AcknowledgedSend(string Conversation, string Key, string Id, long Seq)
{
    public long BegunAt { get; init; }

    public long AnsweredAt { get; init; }
}

/// <summary>An edit that was acknowledged, beside which all who react have reacted.</summary>
sealed record AcknowledgedEdit(string Id, long Version, string Text);

/// <summary>
/// Sends with a key each until each is acknowledged, and what happens to some of the messages afterwards: an edit, and reactions.
/// </summary>
sealed class SendHistory(ServiceNode[] nodes) : IDisposable
{
    /// <summary>The reaction that stays, of everybody who reacts.</summary>
    public const string Staying = ":ship_it:";

    const string TakenBack = ":eyes:";

    static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    const int MentionsEvery = 3;
    const int ChangesEvery = 4;

    readonly ConcurrentQueue<AcknowledgedSend> acknowledged = new();
    readonly ConcurrentQueue<AcknowledgedEdit> edited = new();
    readonly ConcurrentBag<PatientCaller> callers = [];

    public IReadOnlyCollection<AcknowledgedSend> Acknowledged => acknowledged;

    public IReadOnlyCollection<AcknowledgedEdit> Edited => edited;

    /// <summary>One message after the other, until it is to be quiet and the last one is acknowledged.</summary>
    public async Task SendAsync(string user, FaultGroup group, CancellationToken quiet)
    {
        var caller = Own(new PatientCaller(nodes, user));
        var reacting = group.Reacting.Select(one => Own(new PatientCaller(nodes, one))).ToList();
        using var timer = new PeriodicTimer(Pace);
        AcknowledgedSend? before = null;
        for (var i = 0; !quiet.IsCancellationRequested; i++)
        {
            // Before the next send: who has heard the last message has heard of every change.
            if (before is not null && i % ChangesEvery == 0)
                await ChangeAsync(caller, reacting, before);
            caller.Turn = i;
            before = await SendAsync(caller, group.Id, $"{user}-{i}", i % MentionsEvery == 0 ? [group.Mentioned] : []);
            acknowledged.Enqueue(before);
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    public void Dispose()
    {
        foreach (var caller in callers)
            caller.Dispose();
    }

    PatientCaller Own(PatientCaller caller)
    {
        callers.Add(caller);
        return caller;
    }

    static async Task<AcknowledgedSend> SendAsync(PatientCaller caller, string conversation, string key, string[] mentions)
    {
        var begun = Stopwatch.GetTimestamp();
        var answer = await caller.SucceedAsync(
            HttpMethod.Post, $"/v1/conversations/{conversation}/messages",
            new { clientMessageId = key, text = $"text of {key}", mentions });
        return new(conversation, key, answer.Text("id"), answer.Number("seq"))
        {
            BegunAt = begun,
            AnsweredAt = Stopwatch.GetTimestamp(),
        };
    }

    // Each message once: a try that is carried out late changes nothing more.
    async Task ChangeAsync(PatientCaller caller, List<PatientCaller> reacting, AcknowledgedSend send)
    {
        var (path, text) = ($"/v1/conversations/{send.Conversation}/messages/{send.Id}", $"other text of {send.Key}");
        var editing = caller.SucceedAsync(HttpMethod.Patch, path, new { text });
        await Task.WhenAll([editing, .. reacting.Select(one => one.SucceedAsync(HttpMethod.Put, $"{path}/reactions/{Staying}"))]);
        await reacting[0].SucceedAsync(HttpMethod.Put, $"{path}/reactions/{TakenBack}");
        await reacting[0].SucceedAsync(HttpMethod.Delete, $"{path}/reactions/{TakenBack}");
        edited.Enqueue(new(send.Id, (await editing).Number("version"), text));
    }
}
