namespace Messaging.Domain.Attachments;

/// <summary>What a file is to those who look at it.</summary>
public enum AttachmentCategory
{
    Image,
    Document,
    Video,
    Audio,
    Other,
}

/// <summary>What the virus scanner says of a file.</summary>
public enum ScanState
{
    /// <summary>The scanner did not answer yet; nobody gets the file until it has.</summary>
    Pending,

    Clean,

    /// <summary>Never given to anybody.</summary>
    Infected,

    /// <summary>There is no scanner.</summary>
    Skipped,
}
