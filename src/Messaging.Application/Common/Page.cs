namespace Messaging.Application.Common;

/// <summary>A page of a list, as every list but the messages' is answered.</summary>
/// <param name="NextCursor">What to ask for next with <c>?cursor=</c>; null at the end. Opaque to clients.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor = null);
