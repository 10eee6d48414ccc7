using Messaging.Application.Attachments;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Attachments;

public static class AttachmentsSetup
{
    /// <summary>Where files lie, and what looks at them.</summary>
    public static IServiceCollection AddAttachments(this IServiceCollection services)
    {
        services.AddSingleton<IFileStorage>(provider => provider.GetRequiredService<StorageSettings>() is { Provider: StorageProvider.S3 } settings
            ? new S3Storage(settings)
            : new FolderStorage(provider.GetRequiredService<StorageSettings>()));
        services.AddSingleton<IImageMaker, VipsImages>();
        services.AddSingleton<IVirusScanner, ClamdScanner>();
        services.AddSingleton<Spool>();
        services.AddSingleton<FileUrls>();
        services.AddSingleton<FileKeeping>();
        return services;
    }

    public static IServiceCollection AddFileWorker(this IServiceCollection services) => services.AddHostedService<FileWorker>();
}
