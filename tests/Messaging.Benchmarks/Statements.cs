using System.Reflection;

namespace Messaging.Benchmarks;

/// <summary>The service's own SQL, taken from where it stands, so that a floor never measures another statement.</summary>
static class Statements
{
    /// <summary>The text of a constant, private or not.</summary>
    public static string Of<T>(string constant) => Of(typeof(T), constant);

    /// <inheritdoc cref="Of{T}"/>
    public static string Of(Type type, string constant) =>
        type.GetField(constant, BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.Static)?.GetRawConstantValue() as string
        ?? throw new MissingFieldException(type.Name, constant);
}
