using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using Messaging.Application;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Database;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.Net.Http.Headers;

namespace Messaging.Architecture.Tests;

public sealed class WordTests
{
    [TestCase(typeof(UserId))]
    [TestCase(typeof(ApplicationSetup))]
    [TestCase(typeof(DatabaseModule))]
    public void Below_the_edge_no_text_points_or_names_a_header_or_a_status(Type layer)
    {
        Assert.That(Texts(layer.Assembly).Where(text => Edge.IsMatch(text)), Is.Empty);
    }

    // The sentence begins with what it is about.
    [Test]
    public void No_test_begins_with_What_or_It()
    {
        var riddles =
            from file in SourceFile.Of(".cs", "tests")
            from method in file.Syntax.DescendantNodes().OfType<MethodDeclarationSyntax>()
            let name = method.Identifier.Text
            where name.StartsWith("What_", StringComparison.Ordinal) || name.StartsWith("It_", StringComparison.Ordinal)
            select $"{file}: {name}";

        Assert.That(riddles, Is.Empty);
    }

    // Those headers whose names are no words of their own, and ours.
    private static IEnumerable<string> Headers { get; } =
    [
        .. from field in typeof(HeaderNames).GetFields(BindingFlags.Static | BindingFlags.Public)
           let name = (string)field.GetValue(null)!
           where name.Contains('-', StringComparison.Ordinal)
           select name,
        "Authorization", "ETag", "RateLimit", "X-Api-Key", "X-User-Id", "Idempotency-Key",
    ];

    private static readonly Regex Edge = new(
        $@"#/|(?<![\w-])({string.Join('|', Headers.Select(Regex.Escape))})(?![\w-])|(?<![\w,.])[45]\d\d(?![\w,.])",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture,
        TimeSpan.FromSeconds(1));

    // What the code loads, the pieces of interpolated ones among it, and constants; no comments.
    private static IEnumerable<string> Texts(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        var metadata = file.GetMetadataReader();
        List<string> texts = [];
        for (var handle = metadata.GetNextHandle(default(UserStringHandle)); !handle.IsNil; handle = metadata.GetNextHandle(handle))
            texts.Add(metadata.GetUserString(handle));
        texts.AddRange(
            from type in assembly.GetTypes()
            from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            where field.IsLiteral && field.FieldType == typeof(string)
            select (string)field.GetRawConstantValue()!);
        return texts.Distinct(StringComparer.Ordinal);
    }
}
