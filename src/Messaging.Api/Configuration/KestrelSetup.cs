namespace Messaging.Api.Configuration;

public static class KestrelSetup
{
    /// <summary>Bytes of a body, unless an endpoint says otherwise by <see cref="RequestBodySize"/>.</summary>
    public const long BodyBytes = 1024 * 1024;

    private static readonly string[] AddressSettings = ["urls", "http_ports", "https_ports", "Kestrel:Endpoints"];

    private const string DefaultUrl = "http://localhost:5080";

    public static WebApplicationBuilder AddKestrelLimits(this WebApplicationBuilder builder)
    {
        if (!AddressSettings.Any(name => builder.Configuration.GetSection(name).Exists()))
            builder.WebHost.UseUrls(DefaultUrl);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BodyBytes;
            kestrel.Limits.MaxRequestHeaderCount = 64;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            kestrel.Limits.MaxRequestLineSize = 16 * 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        });
        return builder;
    }
}
