using System.Reflection;
using Messaging.Application;
using Messaging.Infrastructure.Database;
using Npgsql;

namespace Messaging.Architecture.Tests;

/// <summary>One <c>const …Sql</c> of the code.</summary>
/// <param name="Direct">Whether its class works on the connections that are not for requests.</param>
public sealed record SqlConstant(string Module, string Name, string Text, bool Direct)
{
    public override string ToString() => Name;
}

public static class SqlConstants
{
    public static readonly IReadOnlyList<Assembly> Assemblies =
        [typeof(ApplicationSetup).Assembly, typeof(DatabaseModule).Assembly, typeof(Messaging.Api.Configuration.ModuleSetup).Assembly];

    public static IReadOnlyList<SqlConstant> All { get; } =
    [
        .. from assembly in Assemblies
           from type in assembly.GetTypes()
           from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
           where field.IsLiteral && field.Name.EndsWith("Sql", StringComparison.Ordinal)
           select new SqlConstant(ModuleOf(type), $"{type.Name}.{field.Name}", (string)field.GetRawConstantValue()!, IsDirect(type)),
    ];

    public static IEnumerable<SqlConstant> OfRequests => All.Where(sql => !sql.Direct);

    private static bool IsDirect(Type type) =>
        type.GetMembers(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        .OfType<MethodBase>()
        .SelectMany(method => method.GetParameters())
        .Any(parameter => parameter.ParameterType == typeof(DirectDataSource) || parameter.ParameterType == typeof(NpgsqlConnection));

    // Messaging.Application.Messages and Messaging.Api.Messages are one module.
    public static string ModuleOf(Type type) => type.Namespace!.Split('.') is [_, _, var module, ..] ? module : "";
}
