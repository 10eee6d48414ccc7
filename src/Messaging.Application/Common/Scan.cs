using System.Reflection;

namespace Messaging.Application.Common;

/// <summary>What is declared in its module, and listed nowhere else.</summary>
public static class Scan
{
    /// <summary>The classes that keep a contract, in the order of the projects and of their names.</summary>
    public static IEnumerable<Type> For<T>(params IEnumerable<Assembly> projects) => For(typeof(T), projects);

    /// <inheritdoc cref="For{T}"/>
    public static IEnumerable<Type> For(Type contract, params IEnumerable<Assembly> projects) =>
        projects.SelectMany(project => project.GetTypes()
        .Where(type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(contract))
        .OrderBy(type => type.FullName, StringComparer.Ordinal));
}
