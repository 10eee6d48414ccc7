namespace Messaging.Application.Common;

/// <summary>Bounds that an operator may change; <c>Messaging__Limits__*</c>.</summary>
public sealed class Limits
{
    /// <summary>Participants of a group, its owner included.</summary>
    public int GroupSize { get; init; } = 300;

    /// <summary>Code points of a message's text.</summary>
    public int TextLength { get; init; } = 10_000;

    /// <summary>UTF-8 bytes of a metadata object.</summary>
    public int MetadataBytes { get; init; } = 16_384;
}
