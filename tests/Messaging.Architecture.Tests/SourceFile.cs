using Messaging.Testing;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Messaging.Architecture.Tests;

/// <summary>A file written by hand.</summary>
/// <param name="Path">From the repository's root, with <c>/</c>.</param>
public sealed record SourceFile(string Path, string Text)
{
    private static readonly string[] Generated = ["bin", "obj", "node_modules", "artifacts"];

    private static readonly Dictionary<string, IReadOnlyList<SourceFile>> Found = [];

    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>Its syntax, where it is C#.</summary>
    public SyntaxNode Syntax => field ??= CSharpSyntaxTree.ParseText(Text).GetRoot();

    /// <summary>Those of an extension below a folder. What is generated or hidden is left out.</summary>
    public static IReadOnlyList<SourceFile> Of(string extension, string folder = "")
    {
        if (Found.TryGetValue($"{folder}*{extension}", out var known))
            return known;
        var root = Repository.File("");
        return Found[$"{folder}*{extension}"] =
        [
            .. from file in Directory.EnumerateFiles(Repository.File(folder), $"*{extension}", SearchOption.AllDirectories)
               let path = System.IO.Path.GetRelativePath(root, file).Replace('\\', '/')
               where !path.Split('/').Any(part => Generated.Contains(part, StringComparer.Ordinal) || part.StartsWith('.'))
               orderby path
               select new SourceFile(path, File.ReadAllText(file)),
        ];
    }

    public override string ToString() => Path;
}
