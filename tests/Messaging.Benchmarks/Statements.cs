using System.Reflection;
using Messaging.Application;
using Messaging.Application.Attachments;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Module = Messaging.Application.Common.Module;

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

    /// <summary>What is read of messages with all that hangs on them, as the service puts it together.</summary>
    public static MessageDetailSet Details => Services.GetRequiredService<MessageDetailSet>();

    /// <summary>What the application makes of its modules.</summary>
    public static IServiceProvider Services { get; } = new ServiceCollection().AddApplication()
        .AddModules(Module.FindIn(typeof(ApplicationSetup).Assembly)).AddSingleton(Urls()).AddSingleton(new PolicySettings())
        .BuildServiceProvider();

    /// <summary>Addresses of files, where none is looked at.</summary>
    public static FileUrls Urls() => new(new NoAddress(), new StorageSettings(), SystemClock.Instance);

    sealed class NoAddress : IServiceAddress
    {
        public string Of(UrlAudience audience) => "";
    }
}
