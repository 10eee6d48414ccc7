using Messaging.Application.Accounts;

namespace Messaging.Api.Tests.Accounts;

public sealed class AccountSettingsTests
{
    [Test]
    public void As_they_are_they_serve() => Assert.That(new AccountSettings().Errors(production: true), Is.Empty);

    [Test]
    public void In_production_passwords_are_not_hashed_cheaply()
    {
        var cheap = new AccountSettings { HashIterations = 209_999 };

        Assert.That(cheap.Errors(production: true), Has.One.StartsWith("HashIterations:"));
        Assert.That(cheap.Errors(production: false), Is.Empty);
    }

    [Test]
    public void All_that_is_wrong_is_named()
    {
        var settings = new AccountSettings
        {
            AccessTokenLifetime = TimeSpan.Zero,
            RefreshTokenDays = 0,
            LoginDays = 0,
            LockoutFailures = 0,
            LockoutTime = TimeSpan.FromDays(2),
            HashIterations = 0,
            HashQueuePerAddress = 0,
        };

        Assert.That(
            settings.Errors(production: false).Select(error => error.Split(':')[0]),
            Is.EqualTo(new[]
            {
                "AccessTokenLifetime", "RefreshTokenDays", "LoginDays", "LockoutFailures", "LockoutTime", "HashIterations",
                "HashQueuePerAddress",
            }));
    }
}
