using System.Globalization;

namespace Messaging.Benchmarks.Measures;

/// <summary>Prints figures, and remembers whether anything was wrong with them.</summary>
sealed class Report(TextWriter output)
{
    public bool Failed { get; private set; }

    public void Heading(string heading)
    {
        output.WriteLine();
        output.WriteLine(heading);
    }

    /// <summary>A heading with the names of the columns below.</summary>
    public void Table(string heading)
    {
        Heading(heading);
        Line($"  {"",-38} {"clients",7} {"per s",8} {"ratio",6} {"p50 ms",8} {"p99 ms",8} {"p99.9",8}   CPU s per 1,000: {"service",7} "
            + $"{"database",8} {"generator",9}");
    }

    public void Compare(string what, int clients, Measure service, Measure floor)
    {
        Row(what, clients, service, service.PerSecond / floor.PerSecond);
        Row("  the same statements alone", clients, floor, ratio: null);
    }

    public void Alone(string what, int clients, Measure service) => Row(what, clients, service, ratio: null);

    public void Say(string text) => Line($"  {text}");

    /// <summary>Something that must hold.</summary>
    public void Check(bool holds, string what)
    {
        Failed |= !holds;
        Line($"  {(holds ? "ok   " : "FAILS")} {what}");
    }

    void Row(string what, int clients, Measure m, double? ratio)
    {
        var share = ratio?.ToString("0.00", CultureInfo.InvariantCulture) ?? "";
        Line($"  {what,-38} {clients,7} {m.PerSecond,8:N0} {share,6} {m.P50,8:0.0} {m.P99,8:0.0} {m.P999,8:0.0}                    "
            + $"{m.ServiceCpu,7:0.000} {m.DatabaseCpu,8:0.000} {m.GeneratorCpu,9:0.000}");
        if (m.Failures > 0)
            Check(holds: false, $"{m.Failures} answers were not the expected ones");
    }

    void Line(string text) => output.WriteLine(text);
}
