using System.Globalization;
using Messaging.Api.Configuration;
using Messaging.Api.Health;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Jobs;
using Messaging.Infrastructure.Webhooks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Surface;

/// <summary>What holds for each setting, whatever it is for.</summary>
public sealed class SettingsTests
{
    const string Section = "Messaging:Any";

    static readonly Type[] Types =
    [
        .. new[] { typeof(SettingsSetup), typeof(LimitSettings), typeof(DatabaseSettings) }
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

    [TestCase("", "Messaging__Any: is a section; its settings are written Messaging__Any__DirectMessages and so on.")]
    [TestCase(":Posting:0", "Messaging__Any__Posting__0: there is no such setting.")]
    [TestCase(":Reactions:Allowed",
        "Messaging__Any__Reactions__Allowed: write one value to a setting: Messaging__Any__Reactions__Allowed__0, __1 and so on.")]
    public void A_value_in_the_wrong_place_is_refused_with_the_right_one(string name, string expected) => Assert.That(
        Read(typeof(PolicySettings), [new($"{Section}{name}", "admins")]).Errors, Is.EqualTo(new[] { expected }));

    [Test]
    public void All_that_is_wrong_is_said_at_once()
    {
        var jobs = Errors<JobSettings>([new($"{Section}:Cleanp", "* * * * *"), new($"{Section}:Cleanup", "hourly")]);
        var webhooks = Errors<WebhookSettings>([new($"{Section}:Schedule:0", "5"), new($"{Section}:Schedule:1", "00:00:00")]);

        Assert.That(jobs.Concat(webhooks).Select(error => error.Split(':')[0]), Is.EqualTo(new[]
        {
            "Messaging__Any__Cleanp", "Messaging__Any__Cleanup", "Messaging__Any__Schedule__0", "Messaging__Any__Schedule",
        }));
    }

    // The default, with which the others are looked at, fits them no better.
    [Test]
    public void A_value_of_the_wrong_kind_is_said_once() => Assert.That(
        Errors<ShutdownSettings>([new($"{Section}:Delay", "never"), new($"{Section}:DrainTimeout", "10675199.00:00:00")])
            .Count(error => error.StartsWith("Messaging__Any__Delay:", StringComparison.Ordinal)),
        Is.EqualTo(1));

    [TestCase("5")]
    [TestCase("5.5")]
    [TestCase("0:05")]
    [TestCase("24:00:00")]
    [TestCase("-00:00:05")]
    public void A_time_span_that_is_easily_taken_for_another_is_refused(string span) => Assert.That(
        Read(typeof(ShutdownSettings), [new($"{Section}:Delay", span)]).Errors,
        Is.EqualTo(new[] { "Messaging__Any__Delay: a time span hh:mm:ss such as 00:00:30 is expected." }));

    [TestCase("00:00:05", ExpectedResult = "00:00:05")]
    [TestCase("1.02:03:04.5", ExpectedResult = "1.02:03:04.5000000")]
    public string A_time_span_is_read_as_it_is_written(string span) =>
        ((ShutdownSettings)Read(typeof(ShutdownSettings), [new($"{Section}:Delay", span)]).Settings()).Delay.ToString();

    [TestCase("00:00:03", "00:00:07", "00:00:09", ExpectedResult = true)]
    [TestCase("00:00:04", "00:00:07", "00:00:09", ExpectedResult = false)]
    [TestCase("00:00:01", "10675199.00:00:00", "00:00:09", ExpectedResult = false)]
    [TestCase("10675199.00:00:00", "10675199.00:00:00", "10675199.00:00:00", ExpectedResult = false)]
    [TestCase("00:00:00", "00:00:00", "00:00:00", ExpectedResult = false)]
    public bool The_way_down_is_short_enough_for_the_20_seconds(string delay, string drain, string stop) =>
        !new ShutdownSettings { Delay = Span(delay), DrainTimeout = Span(drain), StopTimeout = Span(stop) }.Errors().Any();

    static IReadOnlyList<string> Errors<T>(IEnumerable<KeyValuePair<string, string?>> given)
        where T : class, ISettings, new() =>
        new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(given).Build())
            .AddSettings<T>(Section, settings => settings.Errors())
            .BuildServiceProvider().FindConfigurationErrors();

    static (Func<object> Settings, IReadOnlyList<string> Errors) Read(Type type, IEnumerable<KeyValuePair<string, string?>> given)
    {
        var services = new ServiceCollection().AddSingleton<IConfiguration>(
            new ConfigurationBuilder().AddInMemoryCollection(given).Build());
        typeof(SettingsSetup).GetMethod(nameof(SettingsSetup.AddSettings))!.MakeGenericMethod(type).Invoke(null, [services, Section, null]);
        var provider = services.BuildServiceProvider();
        return (() => provider.GetRequiredService(type), provider.FindConfigurationErrors());
    }

    static TimeSpan Span(string text) => TimeSpan.Parse(text, CultureInfo.InvariantCulture);

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
