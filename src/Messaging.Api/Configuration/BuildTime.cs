using System.Reflection;

namespace Messaging.Api.Configuration;

/// <summary>Whether this process only writes the OpenAPI document during a build: nothing may be checked, opened or started.</summary>
public static class BuildTime
{
    public static bool IsDocument { get; } = Assembly.GetEntryAssembly()?.GetName().Name == "GetDocument.Insider";
}
