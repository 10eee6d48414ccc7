using System.Reflection;
using Messaging.Application.Common;
using Microsoft.Extensions.Options;

namespace Messaging.Api.Configuration;

/// <summary>Finds every error of one section of the configuration; each begins with the setting's name.</summary>
/// <param name="Section">What it reads, such as <c>Messaging:Limits</c>; null where another check has it.</param>
public sealed record SettingsCheck(Func<IConfiguration, IEnumerable<string>> Errors, string? Section = null);

public static class SettingsSetup
{
    private const string Root = "Messaging";

    /// <summary>
    /// Registers <typeparamref name="T"/>, read from the section at first use, with a check of it at start: values of the wrong kind,
    /// names that mean nothing, and what <paramref name="check"/> says of the values. An empty value is none: the default holds.
    /// </summary>
    /// <param name="check">Errors of values that are well-formed, each led by the member's name and a colon; never a value.</param>
    public static IServiceCollection AddSettings<T>(
        this IServiceCollection services, string section, Func<T, IEnumerable<string>>? check = null)
        where T : class, new()
    {
        foreach (var property in typeof(T).GetProperties().Where(property => property.PropertyType.IsEnum))
            EnumNameConverter.Use(property.PropertyType);
        services.AddSingleton(provider => Read<T>(provider.GetRequiredService<IConfiguration>().GetSection(section)));
        services.AddSingleton(new SettingsCheck(configuration =>
        {
            var part = configuration.GetSection(section);
            var errors = SettingsShape.Errors(part, typeof(T)).ToList();
            var unread = errors.Select(NameIn).ToHashSet(StringComparer.OrdinalIgnoreCase);
            // For what cannot be read the default holds here, so that all else is checked, too.
            if (check is not null)
                errors.AddRange(check(Read<T>(part, unread)).Select(error => $"{SettingsShape.Name(part.Path)}__{error}")
                    .Where(error => !unread.Contains(NameIn(error))));
            return errors;
        }, section));
        return services;
    }

    /// <summary>Registers all settings of some projects.</summary>
    /// <param name="inProduction">Whether they are asked for what only production needs.</param>
    public static IServiceCollection AddSettingsOf(this IServiceCollection services, IEnumerable<Assembly> projects, bool inProduction)
    {
        var add = typeof(SettingsSetup).GetMethod(nameof(AddFound), BindingFlags.NonPublic | BindingFlags.Static)!;
        foreach (var type in Scan.For(typeof(ISettings), projects))
            add.MakeGenericMethod(type).Invoke(null, [services, inProduction]);
        return services;
    }

    private static void AddFound<T>(IServiceCollection services, bool inProduction)
        where T : class, ISettings, new() =>
        services.AddSettings<T>(T.Section, settings => settings.Errors(inProduction));

    /// <summary>All that is wrong with the configuration of the service, in which each section has its check.</summary>
    public static IReadOnlyList<string> FindConfigurationErrors(this IServiceProvider services) =>
        [.. services.FindUnknownNames(), .. services.FindErrorsOfSections()];

    private static IEnumerable<string> FindUnknownNames(this IServiceProvider services)
    {
        var sections = services.GetServices<SettingsCheck>().Select(check => check.Section).OfType<string>()
            .Where(section => section.StartsWith($"{Root}:", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        var known = string.Join(", ", sections.Select(section => section[(Root.Length + 1)..]));
        return
            from child in services.GetRequiredService<IConfiguration>().GetSection(Root).GetChildren()
            where !sections.Contains(child.Path, StringComparer.OrdinalIgnoreCase)
            from setting in child.AsEnumerable()
            where setting.Value is not null
            select $"{SettingsShape.Name(setting.Key)}: there is no such setting; below {Root}__ there are {known}.";
    }

    /// <summary>
    /// All that is wrong in some sections, and in what is no section's, be there others or not; without any in all of them.
    /// </summary>
    public static IReadOnlyList<string> FindErrorsOfSections(this IServiceProvider services, params IReadOnlyCollection<string> sections)
    {
        var configuration = services.GetRequiredService<IConfiguration>();
        var errors = services.GetServices<SettingsCheck>()
            .Where(check => check.Section is null || sections.Count == 0 || sections.Contains(check.Section))
            .SelectMany(check => check.Errors(configuration)).ToList();
        try
        {
            services.GetService<IStartupValidator>()?.Validate();
        }
        catch (OptionsValidationException e)
        {
            errors.AddRange(e.Failures);
        }
        catch (AggregateException e)
        {
            errors.AddRange(e.InnerExceptions.SelectMany(inner => inner is OptionsValidationException o ? o.Failures : [inner.Message]));
        }
        return errors;
    }

    // Empty is not set, as a compose file's ${X:-} leaves it. The binder would take it for a word or a number, and fail.
    private static T Read<T>(IConfigurationSection section, HashSet<string>? without = null)
        where T : class, new() =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(
                from setting in section.AsEnumerable(makePathsRelative: true)
                where !string.IsNullOrEmpty(setting.Value)
                    && without?.Contains(SettingsShape.Name($"{section.Path}:{setting.Key}")) is not true
                select setting)
            .Build().Get<T>() ?? new T();

    private static string NameIn(string error) => error[..error.IndexOf(':', StringComparison.Ordinal)];
}
