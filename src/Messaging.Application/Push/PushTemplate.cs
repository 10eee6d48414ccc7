namespace Messaging.Application.Push;

/// <summary>What a notification says; <c>{sender}</c>, <c>{conversation}</c>, <c>{preview}</c> and <c>{count}</c> are filled in.</summary>
public sealed class PushTemplate
{
    public const int MaxLength = 500;

    public string? Title { get; init; }

    public string? Body { get; init; }

    /// <summary>In place of the body where several messages are collapsed.</summary>
    public string? Many { get; init; }

    internal IEnumerable<(string Name, string? Text)> Members => [(nameof(Title), Title), (nameof(Body), Body), (nameof(Many), Many)];
}
