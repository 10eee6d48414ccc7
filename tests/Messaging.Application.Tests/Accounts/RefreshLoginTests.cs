using Messaging.Application.Accounts;
using Messaging.Domain.Accounts;
using Messaging.Domain.Common;

namespace Messaging.Application.Tests.Accounts;

public sealed class RefreshLoginTests : AccountFixture
{
    [Test]
    public async Task Each_refresh_gives_the_token_for_the_next()
    {
        var login = await RegisterAsync(NewName());

        for (var i = 0; i < 5; i++)
        {
            var next = await RefreshAsync(login.RefreshToken);
            Assert.That(next.RefreshToken, Is.Not.EqualTo(login.RefreshToken));
            Assert.That(next.User, Is.EqualTo(login.User));
            login = next;
        }
    }

    [Test]
    public async Task A_token_that_comes_again_revokes_all_of_its_family()
    {
        var first = await RegisterAsync(NewName());
        var second = await RefreshAsync(first.RefreshToken);
        var third = await RefreshAsync(second.RefreshToken);

        Assert.That(await CodeAsync(() => RefreshAsync(first.RefreshToken)), Is.EqualTo("unauthenticated"));

        Assert.That(await CodeAsync(() => RefreshAsync(third.RefreshToken)), Is.EqualTo("unauthenticated"));
    }

    [Test]
    public async Task Other_logins_of_the_user_go_on()
    {
        var name = NewName();
        var stolen = await RegisterAsync(name);
        var other = await LogInAsync(name);
        await RefreshAsync(stolen.RefreshToken);
        await CodeAsync(() => RefreshAsync(stolen.RefreshToken));

        Assert.That(await CodeAsync(() => RefreshAsync(other.RefreshToken)), Is.Empty);
    }

    [Test]
    public async Task Of_twenty_simultaneous_uses_one_passes_and_the_family_is_revoked()
    {
        var login = await RegisterAsync(NewName());
        LoginResult? passed = null;

        var codes = await AtOnceAsync(20, async _ => passed = await RefreshAsync(login.RefreshToken));

        Assert.That(codes, Has.Exactly(1).Empty.And.Exactly(19).EqualTo("unauthenticated"));
        Assert.That(await CodeAsync(() => RefreshAsync(passed!.RefreshToken)), Is.EqualTo("unauthenticated"));
    }

    [Test]
    public async Task A_token_ends_with_its_time()
    {
        var login = await RegisterAsync(NewName());
        await PassAsync(login.User.UserId, days: 30);

        Assert.That(await CodeAsync(() => RefreshAsync(login.RefreshToken)), Is.EqualTo("unauthenticated"));
    }

    [Test]
    public async Task A_refresh_lengthens_the_login()
    {
        var login = await RegisterAsync(NewName());
        await PassAsync(login.User.UserId, days: 29);
        var next = await RefreshAsync(login.RefreshToken);
        await PassAsync(login.User.UserId, days: 29);

        Assert.That(await CodeAsync(() => RefreshAsync(next.RefreshToken)), Is.Empty);
    }

    [Test]
    public async Task However_often_it_is_refreshed_a_login_ends_after_90_days()
    {
        var login = await RegisterAsync(NewName());
        await BeginEarlierAsync(login.User.UserId, days: 89);
        var next = await RefreshAsync(login.RefreshToken);
        await BeginEarlierAsync(login.User.UserId, days: 1);

        Assert.That(await CodeAsync(() => RefreshAsync(next.RefreshToken)), Is.EqualTo("unauthenticated"));
    }

    [Test]
    public async Task A_refresh_shortly_before_the_end_does_not_lengthen_the_login_beyond_it()
    {
        var login = await RegisterAsync(NewName());
        await BeginEarlierAsync(login.User.UserId, days: 80);
        await RefreshAsync(login.RefreshToken);

        var days = await Slices.ScalarAsync<int>(
            "SELECT extract(day FROM expires_at - created_at)::integer FROM refresh_tokens WHERE user_id = @UserId",
            new { UserId = login.User.UserId.Value });
        Assert.That(days, Is.EqualTo(90));
    }

    [Test]
    public async Task A_mistyped_token_revokes_nothing()
    {
        var login = await RegisterAsync(NewName());
        var mistyped = login.RefreshToken[..^1] + (login.RefreshToken[^1] == '_' ? "-" : "_");

        foreach (var wrong in new[] { "", "nonsense", login.AccessToken, login.RefreshToken + "A", mistyped, RefreshToken.New().Reveal() })
            Assert.That(await CodeAsync(() => RefreshAsync(wrong)), Is.EqualTo("unauthenticated"), wrong);

        Assert.That(await CodeAsync(() => RefreshAsync(login.RefreshToken)), Is.Empty);
    }

    [Test]
    public async Task Logging_out_ends_the_login_and_no_other()
    {
        var name = NewName();
        var (here, there) = (await RegisterAsync(name), await LogInAsync(name));

        await Slices.SendAsync(new LogOut(here.RefreshToken));

        Assert.That(await CodeAsync(() => RefreshAsync(here.RefreshToken)), Is.EqualTo("unauthenticated"));
        Assert.That(await CodeAsync(() => RefreshAsync(there.RefreshToken)), Is.Empty);
    }

    [Test]
    public async Task Logging_out_with_a_token_from_before_ends_it_too()
    {
        var login = await RegisterAsync(NewName());
        var next = await RefreshAsync(login.RefreshToken);

        await Slices.SendAsync(new LogOut(login.RefreshToken));

        Assert.That(await CodeAsync(() => RefreshAsync(next.RefreshToken)), Is.EqualTo("unauthenticated"));
    }

    [Test]
    public async Task Logging_out_again_or_of_nothing_is_done_already()
    {
        var login = await RegisterAsync(NewName());

        foreach (var token in new[] { login.RefreshToken, login.RefreshToken, "nonsense", "" })
            Assert.That(await CodeAsync(() => Slices.SendAsync(new LogOut(token))), Is.Empty);
    }

    [Test]
    public async Task Whichever_comes_first_after_logging_out_nothing_is_left_to_refresh()
    {
        for (var i = 0; i < 10; i++)
        {
            var login = await RegisterAsync(NewName());
            LoginResult? next = null;

            await AtOnceAsync(2, async which =>
            {
                if (which == 0)
                    next = await RefreshAsync(login.RefreshToken);
                else
                    await Slices.SendAsync(new LogOut(login.RefreshToken));
            });

            if (next is not null)
                Assert.That(await CodeAsync(() => RefreshAsync(next.RefreshToken)), Is.EqualTo("unauthenticated"));
        }
    }

    private Task BeginEarlierAsync(UserId user, int days) => Slices.ExecuteAsync(
        "UPDATE refresh_tokens SET created_at = created_at - make_interval(days => @Days) WHERE user_id = @UserId",
        new { UserId = user.Value, Days = days });

    private Task PassAsync(UserId user, int days) => Slices.ExecuteAsync(
        "UPDATE refresh_tokens SET expires_at = expires_at - make_interval(days => @Days) WHERE user_id = @UserId",
        new { UserId = user.Value, Days = days });
}
