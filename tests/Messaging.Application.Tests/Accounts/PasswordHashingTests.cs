using Messaging.Application.Accounts;
using Messaging.Infrastructure.Accounts;

namespace Messaging.Application.Tests.Accounts;

public sealed class PasswordHashingTests
{
    private const string Phrase = "an old fox jumps";

    private readonly PasswordHashing hashing = new(new AccountSettings { HashIterations = 10 });

    [Test]
    public async Task A_password_matches_its_own_hash_alone()
    {
        var hash = await HashAsync(Phrase);

        Assert.That(await CheckAsync(hash, Phrase), Is.EqualTo(PasswordMatch.Right));
        Assert.That(await CheckAsync(hash, "an old fox jumpS"), Is.EqualTo(PasswordMatch.Wrong));
        Assert.That(await CheckAsync(hash, ""), Is.EqualTo(PasswordMatch.Wrong));
    }

    [Test]
    public async Task The_same_password_is_stored_differently_each_time()
    {
        var (one, other) = (await HashAsync(Phrase), await HashAsync(Phrase));

        Assert.That(one, Is.Not.EqualTo(other));
    }

    [Test]
    public async Task However_its_letters_were_composed_it_is_the_same_password() =>
        Assert.That(await CheckAsync(await HashAsync("Ångström-Ångström"), "A\u030angstro\u0308m-\u212bngstro\u0308m"),
            Is.EqualTo(PasswordMatch.Right));

    [TestCase("密码密码密码密码密码")]
    [TestCase("🦊👨‍👩‍👧‍👦 and friends")]
    [TestCase(" leading and trailing ")]
    [TestCase("‮right to left‬")]
    public async Task Any_Unicode_is_a_password(string text) =>
        Assert.That(await CheckAsync(await HashAsync(text), text), Is.EqualTo(PasswordMatch.Right));

    [Test]
    public async Task A_hash_of_fewer_iterations_is_to_be_made_anew()
    {
        var stronger = new PasswordHashing(new AccountSettings { HashIterations = 11 });

        Assert.That(await stronger.CheckAsync(await HashAsync(Phrase), new Password(Phrase), "here", CancellationToken.None),
            Is.EqualTo(PasswordMatch.RightButWeak));
    }

    [TestCase("$2a$")]
    [TestCase("$2b$")]
    [TestCase("$2y$")]
    public async Task A_bcrypt_hash_is_understood_and_to_be_made_anew(string version)
    {
        var hash = Bcrypt(Phrase, version);

        Assert.That(await CheckAsync(hash, Phrase), Is.EqualTo(PasswordMatch.RightButWeak));
        Assert.That(await CheckAsync(hash, Phrase + "!"), Is.EqualTo(PasswordMatch.Wrong));
    }

    // Known answers of OpenBSD's implementation.
    [TestCase("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [TestCase("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a")]
    [TestCase("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy")]
    public async Task Hashes_of_other_implementations_are_understood(string text, string hash) =>
        Assert.That(await CheckAsync(hash, text), Is.EqualTo(PasswordMatch.RightButWeak));

    [TestCase("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored")]
    [TestCase("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 and so is this")]
    public async Task Like_them_it_takes_the_first_72_bytes(string text) =>
        Assert.That(
            await CheckAsync("$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui", text), Is.EqualTo(PasswordMatch.Right));

    [Test]
    public async Task Bcrypt_knows_72_bytes_so_a_longer_password_keeps_its_hash()
    {
        var text = new string('ä', 36) + "beyond";
        var hash = Bcrypt(text, "$2b$");

        Assert.That(await CheckAsync(hash, text), Is.EqualTo(PasswordMatch.Right));
        Assert.That(await CheckAsync(hash, new string('ä', 36)), Is.EqualTo(PasswordMatch.RightButWeak));
        Assert.That(await CheckAsync(hash, new string('ä', 35) + "b"), Is.EqualTo(PasswordMatch.Wrong));
    }

    [Test]
    public async Task An_imported_hash_of_a_password_that_was_not_normalised_matches()
    {
        var hash = Bcrypt("cafe\u0301 cafe\u0301", "$2b$");

        Assert.That(await CheckAsync(hash, "cafe\u0301 cafe\u0301"), Is.EqualTo(PasswordMatch.RightButWeak));
        Assert.That(await CheckAsync(Bcrypt("café café", "$2b$"), "cafe\u0301 cafe\u0301"), Is.EqualTo(PasswordMatch.RightButWeak));
    }

    [Test]
    public async Task Who_goes_away_does_not_wait()
    {
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();

        Assert.That(
            async () => await hashing.HashAsync(new Password(Phrase), "here", gone.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    Task<string> HashAsync(string text) => hashing.HashAsync(new Password(text), "here", CancellationToken.None);

    Task<PasswordMatch> CheckAsync(string hash, string text) =>
        hashing.CheckAsync(hash, new Password(text), "here", CancellationToken.None);

    static string Bcrypt(string text, string version) => version + BCrypt.Net.BCrypt.HashPassword(text, workFactor: 4)[4..];
}
