using Messaging.Application.Common;

namespace Messaging.Application.Attachments;

public enum StorageProvider
{
    /// <summary>A folder of this machine, or one that all nodes share.</summary>
    File,

    /// <summary>Anything that speaks S3.</summary>
    S3,
}

/// <summary><c>Messaging__Storage__*</c>.</summary>
public sealed class StorageSettings : ISettings
{
    public static string Section => "Messaging:Storage";

    public StorageProvider Provider { get; init; }

    /// <summary>Where files lie, and where those are put together that are being uploaded.</summary>
    public string Path { get; init; } = ".data/files";

    /// <summary>Address of the S3 service; Amazon's when null.</summary>
    public string? Endpoint { get; init; }

    public string Region { get; init; } = "us-east-1";

    public string? Bucket { get; init; }

    public string? AccessKey { get; init; }

    public string? SecretKey { get; init; }

    /// <summary>How long a signed address is good.</summary>
    public TimeSpan UrlLifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Scheme and host of the addresses in events; the first address that the service listens at when null.</summary>
    public string? PublicUrl { get; init; }

    public IEnumerable<string> Errors()
    {
        if (string.IsNullOrWhiteSpace(Path))
            yield return "Path: a folder is expected.";
        if (UrlLifetime < TimeSpan.FromSeconds(1) || UrlLifetime > TimeSpan.FromDays(7))
            yield return "UrlLifetime: between 00:00:01 and 7.00:00:00 is expected.";
        if (PublicUrl is not null && !IsAddress(PublicUrl))
            yield return "PublicUrl: an address such as https://chat.example.com is expected.";
        if (Endpoint is not null && !IsAddress(Endpoint))
            yield return "Endpoint: an address such as https://s3.example.com is expected.";
        if (Provider is StorageProvider.S3 && string.IsNullOrWhiteSpace(Bucket))
            yield return "Bucket: the provider s3 needs one.";
        if (Provider is StorageProvider.S3 && (AccessKey is null) != (SecretKey is null))
            yield return "SecretKey: AccessKey and SecretKey belong together.";
    }

    private static bool IsAddress(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";
}
