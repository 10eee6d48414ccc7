using Messaging.Api.Configuration;
using Messaging.Application.Common;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Surface;

/// <summary>What holds for each setting, whatever it is for.</summary>
public sealed class SettingsTests
{
    const string Section = "Messaging:Any";

    static readonly Type[] Types =
    [
        typeof(Limits),
        .. new[] { typeof(SettingsSetup), typeof(Limits), typeof(DatabaseSettings) }
            .SelectMany(one => one.Assembly.GetExportedTypes())
            .Where(type => type.Name.EndsWith("Settings", StringComparison.Ordinal) && type.GetConstructor([]) is not null),
    ];

    [TestCaseSource(nameof(Types))]
    public void An_empty_setting_is_not_set(Type type)
    {
        var (settings, errors) = Read(type, Names(type, Section).Select(name => KeyValuePair.Create(name, (string?)"")));

        Assert.That(errors, Is.Empty);
        Assert.That(settings(), Is.EqualTo(Activator.CreateInstance(type)).UsingPropertiesComparer());
    }

    static (Func<object> Settings, IReadOnlyList<string> Errors) Read(Type type, IEnumerable<KeyValuePair<string, string?>> given)
    {
        var services = new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(given).Build());
        typeof(SettingsSetup).GetMethod(nameof(SettingsSetup.AddSettings))!.MakeGenericMethod(type).Invoke(null, [services, Section, null]);
        var provider = services.BuildServiceProvider();
        return (() => provider.GetRequiredService(type), provider.FindConfigurationErrors());
    }

    static IEnumerable<string> Names(Type type, string path) =>
        from property in type.GetProperties()
        where property.CanWrite
        from name in property.PropertyType switch
        {
            var list when list.IsArray || list == typeof(IReadOnlyList<string>) => [$"{path}:{property.Name}:0"],
            { IsClass: true } part when part != typeof(string) => Names(part, $"{path}:{property.Name}"),
            _ => [$"{path}:{property.Name}"],
        }
        select name;
}
