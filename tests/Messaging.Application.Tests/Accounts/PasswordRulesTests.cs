using Messaging.Application.Accounts;

namespace Messaging.Application.Tests.Accounts;

public sealed class PasswordRulesTests
{
    [TestCase("correct horse battery staple")]
    [TestCase("ten chars!")]
    [TestCase("   spaces too   ")]
    [TestCase("пароль-пароль-24")]
    [TestCase("🦊🐢🦉🐝🐌🦋🐙🐍🦀🐡")]
    [TestCase("anna_berg likes owls")]
    [TestCase("Shannary-annab")]
    [TestCase("13579246801")]
    public void A_password_of_ten_characters_of_any_kind_is_good(string text) => Assert.That(Fault(text), Is.Null);

    [TestCase("")]
    [TestCase("ninechars")]
    [TestCase("🦊🐢🦉🐝🐌🦋🐙🐍🦀")]
    [TestCase("e\u0301e\u0301e\u0301e\u0301e\u0301")]
    public void A_shorter_one_is_refused(string text) => Assert.That(Fault(text), Does.StartWith("10 to 128"));

    [Test]
    public void Length_is_counted_in_code_points()
    {
        Assert.That(Fault(string.Concat(Enumerable.Repeat("🦊🐢", 64))), Is.Null);
        Assert.That(Fault(string.Concat(Enumerable.Repeat("🦊🐢", 64)) + "x"), Does.StartWith("10 to 128"));
    }

    [Test]
    public void An_endless_one_is_refused_before_it_is_composed()
    {
        var endless = new string('\u0345', 20_000) + new string('\u0334', 20_000);
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.That(Fault(endless), Does.StartWith("10 to 128"));

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(endless.Length));
    }

    [Test]
    public void Letters_and_their_marks_count_as_one_however_they_are_typed() =>
        Assert.That(Fault(string.Concat(Enumerable.Range(0, 128).Select(i => (i % 2 == 0 ? "o" : "u") + "\u031b\u0323"))), Is.Null);

    [TestCase("password123")]
    [TestCase("PassWord123")]
    [TestCase("qwertyuiop")]
    [TestCase("Contraseña")]
    [TestCase("Contrasen\u0303a")]
    [TestCase("1q2w3e4r5t")]
    [TestCase("iloveyou123")]
    public void A_common_one_is_refused_whatever_its_case(string text) => Assert.That(Fault(text), Does.Contain("first passwords"));

    [TestCase("aaaaaaaaaa")]
    [TestCase("🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊")]
    [TestCase("1234567890")]
    [TestCase("01234567890123456789")]
    [TestCase("9876543210")]
    [TestCase("0987654321")]
    [TestCase("abcdefghijk")]
    [TestCase("zyxwvutsrq")]
    public void One_character_again_and_again_and_rows_are_refused(string text) =>
        Assert.That(Fault(text), Does.Contain("first passwords"));

    [TestCase("anna_berg2024")]
    [TestCase("ANNA_BERG!!!")]
    [TestCase("anna_berganna_berg")]
    [TestCase("1-anna_berg")]
    public void The_username_with_digits_and_marks_is_refused(string text) => Assert.That(Fault(text), Does.Contain("username"));

    static string? Fault(string text) => PasswordRules.Fault(new Password(text), "anna_berg");
}
