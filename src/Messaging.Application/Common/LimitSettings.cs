namespace Messaging.Application.Common;

/// <summary>Bounds that an operator may change; <c>Messaging__Limits__*</c>.</summary>
public sealed class LimitSettings : ISettings
{
    public static string Section => "Messaging:Limits";

    /// <summary>Participants of a group, its owner included.</summary>
    public int GroupSize { get; init; } = 300;

    /// <summary>Code points of a message's text.</summary>
    public int TextLength { get; init; } = 10_000;

    public int AttachmentsPerMessage { get; init; } = 5;

    /// <summary>Bytes of an uploaded image.</summary>
    public long ImageBytes { get; init; } = 10_485_760;

    /// <summary>Bytes of any other file.</summary>
    public long FileBytes { get; init; } = 26_214_400;

    /// <summary>Bytes of all files that one user uploads on one day, in UTC.</summary>
    public long UploadBytesPerDay { get; init; } = 1_073_741_824;

    /// <summary>Files of one user that no message names yet.</summary>
    public int UnnamedFiles { get; init; } = 50;

    /// <summary>UTF-8 bytes of a metadata object, as <see cref="JsonText.StoredLength"/> counts them.</summary>
    public int MetadataBytes { get; init; } = 16_384;

    public IEnumerable<string> Errors()
    {
        if (AttachmentsPerMessage is < 1 or > 100)
            yield return "AttachmentsPerMessage: between 1 and 100 is expected.";
        if (ImageBytes is < 1 or > int.MaxValue)
            yield return "ImageBytes: between 1 and 2147483647 is expected.";
        if (FileBytes is < 1 or > int.MaxValue)
            yield return "FileBytes: between 1 and 2147483647 is expected.";
        if (UploadBytesPerDay < 1)
            yield return "UploadBytesPerDay: 1 or more is expected.";
        if (UnnamedFiles < AttachmentsPerMessage || UnnamedFiles > 10_000)
            yield return "UnnamedFiles: between AttachmentsPerMessage and 10000 is expected.";
        if (GroupSize < 2)
            yield return "GroupSize: 2 or more is expected.";
        if (TextLength < 1)
            yield return "TextLength: 1 or more is expected.";
        if (MetadataBytes < 2)
            yield return "MetadataBytes: 2 or more is expected.";
    }
}
