namespace Messaging.EndToEnd.Tests;

/// <summary>Where things are that run as processes of their own.</summary>
static class Repository
{
    public static string Root => Testing.Repository.Root;

    public static string StartScript => Path.Combine(Root, "start.sh");

    /// <summary>The launcher as it was built along with these tests.</summary>
    public static string Launcher => Path.Combine(Root, "tools", "Messaging.Start", "bin", Configuration, "net10.0", "Messaging.Start.dll");

    /// <summary>The service as it was built along with these tests.</summary>
    public static string Service => Path.Combine(Root, "src", "Messaging.Api", "bin", Configuration, "net10.0", "Messaging.Api.dll");

    /// <summary>A script of the JavaScript client.</summary>
    public static string Client(string script) => Path.Combine(Root, "tests", "Messaging.EndToEnd.Tests", "client", script);

    /// <summary>A file of the examples for integrators.</summary>
    public static string Example(string file) => Path.Combine(Root, "docs", "examples", file);

    /// <summary>The example in C# as it was built along with these tests.</summary>
    public static string BuiltExample => Example($"csharp/bin/{Configuration}/net10.0/Example.dll");

    static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
}
