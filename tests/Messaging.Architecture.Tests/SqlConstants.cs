using System.Reflection;
using Messaging.Application;
using Messaging.Infrastructure.Database;

namespace Messaging.Architecture.Tests;

/// <summary>One <c>const …Sql</c> of the code.</summary>
public sealed record SqlConstant(string Module, string Name, string Text)
{
    public override string ToString() => Name;
}

public static class SqlConstants
{
    public static readonly IReadOnlyList<Assembly> Assemblies =
        [typeof(ApplicationSetup).Assembly, typeof(DatabaseSetup).Assembly, typeof(Messaging.Api.Errors.ErrorSetup).Assembly];

    public static IReadOnlyList<SqlConstant> All { get; } =
    [
        .. from assembly in Assemblies
           from type in assembly.GetTypes()
           from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
           where field.IsLiteral && field.Name.EndsWith("Sql", StringComparison.Ordinal)
           select new SqlConstant(ModuleOf(type), $"{type.Name}.{field.Name}", (string)field.GetRawConstantValue()!),
    ];

    // Messaging.Application.Messages and Messaging.Api.Messages are one module.
    private static string ModuleOf(Type type) => type.Namespace!.Split('.') is [_, _, var module, ..] ? module : "";
}
