using Messaging.Domain.Accounts;

namespace Messaging.Domain.Tests.Accounts;

public sealed class RefreshTokenTests
{
    [Test]
    public void A_token_given_out_is_read_as_the_same_token()
    {
        var token = RefreshToken.New();

        var read = Read(token.Reveal());

        Assert.That(read!.Hash(), Is.EqualTo(token.Hash()));
        Assert.That(read.FamilyHash(), Is.EqualTo(token.FamilyHash()));
    }

    [Test]
    public void The_next_one_is_another_of_the_same_family()
    {
        var token = RefreshToken.New();

        var next = token.Next();

        Assert.That(next.FamilyHash(), Is.EqualTo(token.FamilyHash()));
        Assert.That(next.Hash(), Is.Not.EqualTo(token.Hash()));
    }

    [Test]
    public void Each_login_has_a_family_of_its_own()
    {
        var (one, other) = (RefreshToken.New(), RefreshToken.New());

        Assert.That(one.FamilyHash(), Is.Not.EqualTo(other.FamilyHash()));
    }

    [Test]
    public void One_wrong_character_makes_it_no_token()
    {
        var text = RefreshToken.New().Reveal();

        for (var i = 0; i < text.Length; i++)
            Assert.That(Read(text[..i] + (text[i] == 'A' ? 'B' : 'A') + text[(i + 1)..]), Is.Null, $"{i}");
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("mrt_")]
    [TestCase("nonsense")]
    [TestCase("mrt_äöü ")]
    public void Anything_else_is_none(string? text) => Assert.That(Read(text), Is.Null);

    [Test]
    public void Longer_shorter_and_spaced_ones_are_none()
    {
        var text = RefreshToken.New().Reveal();

        foreach (var other in new[] { text + "A", text[..^1], text[..^4], " " + text, text[..^1] + " ", text[..40] + " " + text[41..],
            text.ToUpperInvariant() })
            Assert.That(Read(other), Is.Null, other);
    }

    [Test]
    public void A_token_does_not_print_itself()
    {
        var token = RefreshToken.New();

        Assert.That($"{token}", Is.EqualTo("mrt_…"));
    }

    static RefreshToken? Read(string? text) => RefreshToken.TryParse(text, out var token) ? token : null;
}
