using System.Text;

namespace Messaging.Migrations.Tests;

/// <summary>Keeps what a run says, and lets a test act on a line the moment it is said.</summary>
sealed class Recorder(Action<string>? onLine = null) : StringWriter
{
    public override Encoding Encoding => Encoding.UTF8;

    public override void WriteLine(string? value)
    {
        base.WriteLine(value);
        onLine?.Invoke(value ?? "");
    }

    public override Task WriteLineAsync(string? value)
    {
        WriteLine(value);
        return Task.CompletedTask;
    }
}
