using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Conversations;

public enum ConversationType
{
    Direct,
    Group,
}

/// <summary>The host product's own object that a conversation is about.</summary>
/// <param name="Type">1 to 64 of <c>[A-Za-z0-9_.-]</c>, such as <c>posting</c>.</param>
/// <param name="Id">The host's id of it, 1 to 128 characters.</param>
public sealed record ConversationContext(string Type, string Id);

/// <summary>What a new group is given.</summary>
/// <param name="Metadata">A JSON object as text.</param>
public sealed record GroupProfile(
    string Name, string? Description, string? AvatarUrl, string? Slug, ConversationContext? Context, string? Metadata);

/// <summary>
/// A place where two people (direct) or up to a limit of them (group) talk. Guards who may be in it and whether it can be written to.
/// Its version rises with every change but a message, so a statement that repeats the version it was decided on is safe.
/// </summary>
public sealed class Conversation
{
    private Conversation(ConversationId id, ConversationType type, int participantCount)
    {
        Id = id;
        Type = type;
        ParticipantCount = participantCount;
    }

    public ConversationId Id { get; }

    public ConversationType Type { get; }

    public UserId? OwnerId { get; private init; }

    public UserId? CreatedBy { get; private init; }

    public ConversationContext? Context { get; private init; }

    public GroupProfile? Profile { get; private init; }

    public int ParticipantCount { get; private set; }

    public long LastSeq { get; private init; }

    public long Version { get; private init; } = 1;

    public Instant CreatedAt { get; private init; }

    public bool IsClosed { get; private init; }

    public bool IsArchived { get; private init; }

    /// <summary>The one key of a pair and context, whoever opens it. No part but the last can hold a space.</summary>
    public static string DirectKey(UserId one, UserId other, ConversationContext? context)
    {
        var (first, second) = one < other ? (one, other) : (other, one);
        return context is null ? $"{first} {second}" : $"{first} {second} {context.Type} {context.Id}";
    }

    /// <summary>The conversation of two people; refuses one with oneself.</summary>
    public static Conversation OpenDirect(UserId opener, UserId other, ConversationContext? context, Instant now) =>
        opener == other
            ? throw ConversationErrors.WithOneself()
            : new Conversation(ConversationId.New(now), ConversationType.Direct, participantCount: 2)
            {
                CreatedBy = opener,
                Context = context,
                CreatedAt = now,
            };

    /// <summary>A group; its creator is the owner and counts. The service makes one without being in it.</summary>
    /// <param name="others">The other members, distinct and without the creator.</param>
    /// <param name="limit">The most participants a group may have.</param>
    public static Conversation CreateGroup(Actor creator, IReadOnlyCollection<UserId> others, GroupProfile profile, int limit, Instant now)
    {
        var count = others.Count + (creator.IsService ? 0 : 1);
        if (count < 2)
            throw ConversationErrors.TooFew();
        if (count > limit)
            throw ConversationErrors.GroupFull(limit);
        var id = ConversationId.New(now);
        return new Conversation(id, ConversationType.Group, count)
        {
            OwnerId = creator.UserId,
            CreatedBy = creator.UserId,
            Context = profile.Context,
            Profile = profile with { Slug = profile.Slug ?? SlugOf(profile.Name, id) },
            CreatedAt = now,
        };
    }

    /// <summary>A conversation as it stands in the database.</summary>
    public static Conversation Restore(
        ConversationId id, ConversationType type, int participantCount, long lastSeq, long version, bool closed, bool archived) =>
        new(id, type, participantCount)
        {
            LastSeq = lastSeq,
            Version = version,
            IsClosed = closed,
            IsArchived = archived,
        };

    /// <summary>Refuses anything new in a conversation that is closed or archived.</summary>
    public void EnsureWritable()
    {
        if (IsArchived)
            throw ConversationErrors.Archived();
        if (IsClosed)
            throw ConversationErrors.Closed();
    }

    /// <summary>Lets people in: all of them or none. Those who are in already must be left out of <paramref name="count"/>.</summary>
    /// <param name="by">Who adds; null for the service.</param>
    public void Add(Participant? by, int count, int limit)
    {
        if (Type == ConversationType.Direct)
            throw ConversationErrors.DirectIsFixed();
        EnsureWritable();
        by?.EnsureAdministers();
        if (ParticipantCount + count > limit)
            throw ConversationErrors.GroupFull(limit);
        ParticipantCount += count;
    }

    // Unique without asking: the end of the id is random.
    private static string SlugOf(string name, ConversationId id)
    {
        var words = new string([.. name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]);
        var stem = string.Join('-', words.Split('-', StringSplitOptions.RemoveEmptyEntries));
        stem = stem[..Math.Min(stem.Length, 80)].Trim('-');
        var suffix = id.Value.ToString("N")[^12..];
        return stem.Length == 0 ? suffix : $"{stem}-{suffix}";
    }
}
