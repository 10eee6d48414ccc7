using Messaging.Application.Common;
using Messaging.Infrastructure.Bus;
using Messaging.Infrastructure.Presence;

namespace Messaging.Architecture.Tests;

public sealed class ModuleTests
{
    private static List<Module> Modules { get; } = [.. Module.FindIn(SqlConstants.Assemblies)];

    [Test]
    public void A_module_is_named_after_its_folder() => Assert.That(
        Modules.Select(module => module.GetType()).Where(type => type.Name != $"{SqlConstants.ModuleOf(type)}Module"), Is.Empty);

    // What clients are told is said by a type of its own, so that a new setting is not told by itself.
    [Test]
    public void No_type_exposes_the_settings_of_an_operator() => Assert.That(
        from assembly in SqlConstants.Assemblies
        from type in assembly.GetExportedTypes()
        where !type.IsAssignableTo(typeof(ISettings))
        from property in type.GetProperties()
        where property.PropertyType.IsAssignableTo(typeof(ISettings))
        select $"{type.Name}.{property.Name}",
        Is.Empty);

    [Test]
    public void The_bus_starts_before_those_whose_last_word_it_sends_and_stops_after_them() => Assert.That(
        Modules.FindIndex(module => module is BusModule), Is.LessThan(Modules.FindIndex(module => module is PresenceModule)));
}
