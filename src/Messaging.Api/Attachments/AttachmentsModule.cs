using Messaging.Api.Configuration;
using Messaging.Application.Attachments;

namespace Messaging.Api.Attachments;

/// <summary>Files, up and down.</summary>
public sealed class AttachmentsModule : ApiModule
{
    public override IReadOnlyDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Attachments"] = "Files of messages, and their signed addresses.",
    };

    public override void AddServices(IServiceCollection services)
    {
        services.AddHttpContextAccessor().AddSingleton<IServiceAddress, ServiceAddress>().AddSingleton<UploadLane>();
    }

    public override void Map(IEndpointRouteBuilder routes) => routes.MapAttachments();
}
