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

    public IEnumerable<string> Errors()
    {
        if (GroupSize < 2)
            yield return "GroupSize: 2 or more is expected.";
        if (TextLength < 1)
            yield return "TextLength: 1 or more is expected.";
        if (MetadataBytes < 2)
            yield return "MetadataBytes: 2 or more is expected.";
    }
}
