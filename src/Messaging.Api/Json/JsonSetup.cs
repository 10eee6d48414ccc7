using Messaging.Application.Common;

namespace Messaging.Api.Json;

public static class JsonSetup
{
    /// <summary>Bodies are read and written in the product's one dialect.</summary>
    public static IServiceCollection AddJson(this IServiceCollection services) =>
        services.ConfigureHttpJsonOptions(options => MessagingJson.Configure(options.SerializerOptions));
}
