using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Infrastructure.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Attachments;

/// <summary>Where files lie, and what looks at them.</summary>
public sealed class AttachmentsModule : Module
{
    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<IFileStorage>(
            provider => provider.GetRequiredService<StorageSettings>() is { Provider: StorageProvider.S3 } settings
            ? new S3Storage(settings)
            : new FolderStorage(provider.GetRequiredService<StorageSettings>()));
        services.AddSingleton<IImageMaker, VipsImages>();
        services.AddSingleton<IVirusScanner, ClamdScanner>();
        services.AddSingleton<Spool>();
        services.AddSingleton<FileUrls>();
        services.AddSingleton<FileKeeping>();
        services.AddSingleton(provider => new Job(
            "files", provider.GetRequiredService<JobSettings>().Files, provider.GetRequiredService<FileKeeping>().KeepAsync));
    }
}
