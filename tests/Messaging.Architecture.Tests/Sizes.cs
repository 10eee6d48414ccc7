using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Messaging.Architecture.Tests;

/// <summary>Something that is larger than it should be.</summary>
/// <param name="Kind">The rule, such as <c>method</c>.</param>
/// <param name="Name">Such as <c>Cli.RunAsync</c>.</param>
public sealed record Oversize(string Kind, string Name, int Size)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind} {Name} {Size}");
}

/// <summary>The sizes from which a second look is due, and all that exceeds them.</summary>
static class Sizes
{
    private static readonly Dictionary<string, int> Limits = new(StringComparer.Ordinal)
    {
        ["slice"] = 120, ["handle"] = 25, ["aggregate"] = 200, ["method"] = 25, ["constructor"] = 5, ["record"] = 5, ["statement"] = 20,
    };

    public static IReadOnlyList<Oversize> Exceeded { get; } =
    [
        .. from one in Slices().Concat(Aggregates()).Concat(Methods()).Concat(Constructors()).Concat(Statements())
           where one.Size > Limits[one.Kind]
           group one by (one.Kind, one.Name) into overloads
           select overloads.MaxBy(one => one.Size)! into largest
           orderby largest.Kind, largest.Name
           select largest,
    ];

    private static IEnumerable<Oversize> Slices() =>
        from file in SourceFile.Of(".cs", "src/Messaging.Application")
        where file.Syntax.DescendantNodes().OfType<TypeDeclarationSyntax>().Any(Handles)
        select new Oversize("slice", file.Name, file.Text.Count(sign => sign == '\n'));

    private static IEnumerable<Oversize> Aggregates() =>
        from file in SourceFile.Of(".cs", "src/Messaging.Domain")
        from type in file.Syntax.DescendantNodes().OfType<TypeDeclarationSyntax>()
        select new Oversize("aggregate", type.Identifier.Text, Lines(type));

    private static IEnumerable<Oversize> Methods() =>
        from file in Code()
        from method in file.Syntax.DescendantNodes().OfType<BaseMethodDeclarationSyntax>()
        let type = (TypeDeclarationSyntax)method.Parent!
        let name = method is MethodDeclarationSyntax named ? named.Identifier.Text : "new"
        select new Oversize(name == "Handle" && Handles(type) ? "handle" : "method", $"{NameOf(type)}.{name}", Lines(method));

    private static IEnumerable<Oversize> Constructors() =>
        from file in Code()
        from node in file.Syntax.DescendantNodes()
        let type = node as TypeDeclarationSyntax ?? (node as ConstructorDeclarationSyntax)?.Parent as TypeDeclarationSyntax
        let parameters = (node as TypeDeclarationSyntax)?.ParameterList ?? (node as ConstructorDeclarationSyntax)?.ParameterList
        where parameters is not null
        select new Oversize(
            type is RecordDeclarationSyntax ? "record" : "constructor", NameOf(type!), parameters.Parameters.Count);

    // As PostgreSQL reads them, with the constants that they are composed of.
    private static IEnumerable<Oversize> Statements() =>
        from sql in SqlConstants.All
        select new Oversize("statement", sql.Name, sql.Text.Count(sign => sign == '\n') + 1);

    private static IEnumerable<SourceFile> Code() =>
        SourceFile.Of(".cs", "src").Concat(SourceFile.Of(".cs", "db")).Concat(SourceFile.Of(".cs", "tools"));

    // With the types around it: many have a Row.
    private static string NameOf(TypeDeclarationSyntax type) =>
        string.Join('.', type.AncestorsAndSelf().OfType<TypeDeclarationSyntax>().Reverse().Select(one => one.Identifier.Text));

    private static bool Handles(TypeDeclarationSyntax type) =>
        type.BaseList?.Types.Any(contract => contract.ToString().StartsWith("IRequestHandler<", StringComparison.Ordinal)) == true;

    private static int Lines(SyntaxNode node)
    {
        var place = node.GetLocation().GetLineSpan();
        return place.EndLinePosition.Line - place.StartLinePosition.Line + 1;
    }
}
