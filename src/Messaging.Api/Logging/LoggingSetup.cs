using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.Logging.Console;

namespace Messaging.Api.Logging;

public static class LoggingSetup
{
    // A line per request and per statement is for those who ask for it.
    private static readonly Dictionary<string, string?> Levels = new(StringComparer.Ordinal)
    {
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
        ["Logging:LogLevel:Npgsql"] = "Warning",
    };

    /// <summary>Structured lines on stdout and nothing else; levels by <c>Logging__LogLevel__*</c>.</summary>
    public static WebApplicationBuilder AddJsonLogging(this WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        builder.Logging.AddConsole(console => console.FormatterName = JsonLines.Name);
        builder.Logging.AddConsoleFormatter<JsonLines, ConsoleFormatterOptions>();
        // First in line, so that every other source of configuration overrules it.
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = Levels });
        return builder;
    }
}
