using System.Collections.Concurrent;
using MediatR;
using Messaging.Application.Events;
using Messaging.Application.Presence;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Presence;

/// <summary>
/// The participants of conversations in which users are typing, so that typing reads the database only once per conversation and 10 s, and
/// again as soon as the feed shows that anything but messages has changed in it, or in the relationship of two participants.
/// </summary>
public sealed class MemberCache(IServiceScopeFactory scopes, TimeProvider time) : ILiveReceiver
{
    public const int MaxConversations = 5_000;

    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<ConversationId, Entry> entries = new();

    public int Count => entries.Count;

    public bool HasListeners => !entries.IsEmpty;

    /// <summary>The members; refuses an actor who cannot see the conversation.</summary>
    public async Task<Members> GetAsync(ConversationId id, Actor actor)
    {
        var (entry, isNew) = EntryOf(id);
        var members = await LoadAsync(id, entry);
        // A user who has just joined must not wait for the feed.
        if (!isNew && members?.IsVisibleTo(actor) != true)
        {
            entries.TryRemove(KeyValuePair.Create(id, entry));
            members = await LoadAsync(id, EntryOf(id).Entry);
        }
        return members?.IsVisibleTo(actor) == true ? members : throw CommonErrors.NotFound();
    }

    /// <summary>The members; null if there is no such conversation.</summary>
    public Task<Members?> FindAsync(ConversationId id) => LoadAsync(id, EntryOf(id).Entry);

    public bool Hears(string type, ConversationId? conversationId, IReadOnlyCollection<string> audience) =>
        type == BlockChanged.Name || (conversationId is { } id && ChangesMembers(type) && entries.ContainsKey(id));

    public void Receive(EventEnvelope envelope, long position, IReadOnlyCollection<string> audience)
    {
        if (envelope.Type == BlockChanged.Name)
            Forget(audience.Single(), envelope.NamedUser()!);
        if (envelope.ConversationId is { } id && ChangesMembers(envelope.Type))
            entries.TryRemove(id, out _);
    }

    private static bool ChangesMembers(string type) => !type.StartsWith("message:", StringComparison.Ordinal);

    /// <summary>Makes what the event has changed be read again.</summary>
    public void Close(IReadOnlyCollection<string> audience) => entries.Clear();

    public void CloseAll() => entries.Clear();

    /// <summary>Removes entries that are too old to be used.</summary>
    public void Sweep()
    {
        foreach (var pair in entries.Where(pair => IsOld(pair.Value)))
            entries.TryRemove(pair);
    }

    // An entry that is being loaded may have missed it too.
    private void Forget(string one, string other)
    {
        foreach (var pair in entries.Where(pair => !pair.Value.Members.Value.IsCompletedSuccessfully
            || pair.Value.Members.Value.Result is { } members && members.Has(one) && members.Has(other)))
        {
            entries.TryRemove(pair);
        }
    }

    // The entry exists before it is loaded, so a change that arrives meanwhile removes it.
    private (Entry Entry, bool IsNew) EntryOf(ConversationId id)
    {
        if (entries.TryGetValue(id, out var known) && !IsOld(known))
            return (known, false);
        if (known is not null)
            entries.TryRemove(KeyValuePair.Create(id, known));
        if (entries.Count >= MaxConversations)
            entries.Clear();
        var made = new Entry(time.GetTimestamp(), new Lazy<Task<Members?>>(() => ReadAsync(id)));
        var entry = entries.GetOrAdd(id, made);
        return (entry, ReferenceEquals(entry, made));
    }

    private async Task<Members?> LoadAsync(ConversationId id, Entry entry)
    {
        try
        {
            return await entry.Members.Value;
        }
        catch
        {
            entries.TryRemove(KeyValuePair.Create(id, entry));
            throw;
        }
    }

    private async Task<Members?> ReadAsync(ConversationId id)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new GetMembers(id));
    }

    private bool IsOld(Entry entry) => time.GetElapsedTime(entry.MadeAt) >= Lifetime;

    private sealed record Entry(long MadeAt, Lazy<Task<Members?>> Members);
}
