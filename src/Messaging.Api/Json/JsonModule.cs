using Messaging.Api.Configuration;
using Messaging.Application.Common;

namespace Messaging.Api.Json;

/// <summary>Bodies are read and written in the product's one dialect.</summary>
public sealed class JsonModule : ApiModule
{
    public override void AddServices(IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(options => MessagingJson.Configure(options.SerializerOptions));
    }
}
