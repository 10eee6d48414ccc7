using Messaging.Api.Configuration;
using Messaging.Application.Conversations;
using Messaging.Domain.Conversations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Surface;

/// <summary>Words of the configuration are those of the API.</summary>
public sealed class PolicySettingsTests
{
    [TestCase("since-join")]
    [TestCase("Since-Join")]
    [TestCase("SinceJoin")]
    public void A_word_of_two_is_read_as_the_api_writes_it(string word)
    {
        var (settings, errors) = Read(("Messaging:Policies:History", word));

        Assert.That(errors, Is.Empty);
        Assert.That(settings().History, Is.EqualTo(HistoryAccess.SinceJoin));
    }

    [Test]
    public void An_unknown_word_is_told_those_that_are_known() =>
        Assert.That(
            Read(("Messaging:Policies:History", "sometimes")).Errors,
            Is.EqualTo(new[] { "Messaging__Policies__History: one of full, since-join is expected." }));

    [TestCase("-1")]
    [TestCase("3651")]
    public void A_no_holds_for_a_number_of_days_that_can_be(string days) =>
        Assert.That(
            Read(("Messaging:Policies:DeclineDays", days)).Errors,
            Is.EqualTo(new[] { "Messaging__Policies__DeclineDays: Between 0 and 3650 days are expected." }));

    [Test]
    public void A_reaction_is_named_with_or_without_colons()
    {
        var (settings, errors) = Read(
            ("Messaging:Policies:Reactions:Allowed:0", "like"), ("Messaging:Policies:Reactions:Allowed:1", ":Like:"));

        Assert.That(errors, Is.Empty);
        Assert.That(settings().With(stored: null).Reactions.Allowed, Is.EqualTo(new[] { ":like:" }));
    }

    private static (Func<PolicySettings> Settings, IReadOnlyList<string> Errors) Read(params (string Name, string Value)[] given)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(given.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build();
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration)
            .AddSettings<PolicySettings>("Messaging:Policies", settings => settings.Errors()).BuildServiceProvider();
        return (services.GetRequiredService<PolicySettings>, services.FindConfigurationErrors());
    }
}
