using Messaging.Testing;

namespace Messaging.Api.Tests.Authorisation;

/// <summary>A table whose rows stand with the tests of the modules that they are of, found by scanning.</summary>
static class ModuleTables
{
    /// <summary>How the table is read, then the rows of each module.</summary>
    /// <param name="head">The file in this folder.</param>
    /// <param name="rows">The name of the file that each module has.</param>
    public static IEnumerable<(string Module, string Line)> Lines(string head, string rows)
    {
        var tests = Repository.File("tests/Messaging.Api.Tests");
        var own = Path.Combine(tests, "Authorisation", head);
        return Directory.GetDirectories(tests).Order(StringComparer.Ordinal).Select(folder => Path.Combine(folder, rows))
            .Where(file => file != own && File.Exists(file)).Prepend(own)
            .SelectMany(
                file => File.ReadLines(file).Where(line => line is not ("" or ['#', ..])),
                (file, line) => (Path.GetFileName(Path.GetDirectoryName(file)!), line));
    }
}
