using Messaging.Application.Accounts;
using Messaging.Domain.Common;

namespace Messaging.Application.Tests.Accounts;

public sealed class ChangePasswordTests : AccountFixture
{
    [Test]
    public async Task The_new_password_is_good_and_the_old_one_no_more()
    {
        var name = NewName();
        var user = (await RegisterAsync(name)).User.UserId;

        await ChangeAsync(user);

        Assert.That(await CodeAsync(() => LogInAsync(name)), Is.EqualTo("unauthenticated"));
        Assert.That(await CodeAsync(() => LogInAsync(name, OtherPassword)), Is.Empty);
    }

    [Test]
    public async Task A_new_password_ends_all_logins_but_the_one_it_begins()
    {
        var name = NewName();
        var (here, there) = (await RegisterAsync(name), await LogInAsync(name));

        var login = await ChangeAsync(here.User.UserId);

        Assert.That(await CodeAsync(() => RefreshAsync(here.RefreshToken)), Is.EqualTo("unauthenticated"));
        Assert.That(await CodeAsync(() => RefreshAsync(there.RefreshToken)), Is.EqualTo("unauthenticated"));
        Assert.That((await RefreshAsync(login.RefreshToken)).User, Is.EqualTo(here.User));
    }

    [Test]
    public async Task A_wrong_current_password_changes_nothing()
    {
        var name = NewName();
        var login = await RegisterAsync(name);

        var problem = await ProblemAsync(() => ChangeAsync(login.User.UserId, current: OtherPassword));

        Assert.That((problem.Code, problem.Member), Is.EqualTo(("not-allowed", "currentPassword")));
        Assert.That(await CodeAsync(() => LogInAsync(name)), Is.Empty);
        Assert.That(await CodeAsync(() => RefreshAsync(login.RefreshToken)), Is.Empty);
    }

    [Test]
    public async Task Strangers_who_fail_to_log_in_do_not_keep_the_owner_from_it()
    {
        var name = NewName();
        var user = (await RegisterAsync(name)).User.UserId;
        await AtOnceAsync(11, _ => LogInAsync(name, OtherPassword));

        Assert.That(await CodeAsync(() => ChangeAsync(user)), Is.Empty);
    }

    [Test]
    public async Task With_a_stolen_access_token_ten_passwords_can_be_tried()
    {
        var name = NewName();
        var user = (await RegisterAsync(name)).User.UserId;

        var codes = await AtOnceAsync(10, _ => ChangeAsync(user, current: OtherPassword));

        Assert.That(codes, Is.All.EqualTo("not-allowed"));
        Assert.That(await CodeAsync(() => ChangeAsync(user)), Is.EqualTo("rate-limited"));
        Assert.That(await CodeAsync(() => LogInAsync(name)), Is.Empty);
    }

    [Test]
    public async Task The_new_password_logs_in_though_strangers_had_locked_the_name()
    {
        var name = NewName();
        var user = (await RegisterAsync(name)).User.UserId;
        await AtOnceAsync(11, _ => LogInAsync(name, OtherPassword));
        await ChangeAsync(user, changed: "three hens on one perch");

        Assert.That(await CodeAsync(() => LogInAsync(name, "three hens on one perch")), Is.Empty);
    }

    [TestCase("password123")]
    [TestCase("too short")]
    public async Task A_bad_new_password_is_refused_with_its_pointer(string password)
    {
        var user = (await RegisterAsync(NewName())).User.UserId;

        Assert.That((await ProblemAsync(() => ChangeAsync(user, changed: password))).Member, Is.EqualTo("newPassword"));
    }

    [Test]
    public async Task The_new_one_is_not_made_of_the_username()
    {
        var name = NewName();
        var user = (await RegisterAsync(name)).User.UserId;

        Assert.That((await ProblemAsync(() => ChangeAsync(user, changed: name + "!"))).Member, Is.EqualTo("newPassword"));
    }

    [Test]
    public async Task A_user_of_the_host_has_none_to_change()
    {
        var user = await Slices.UserAsync();

        Assert.That(await CodeAsync(() => ChangeAsync(user)), Is.EqualTo("not-found"));
    }

    [Test]
    public async Task Of_simultaneous_changes_from_the_same_password_one_passes()
    {
        var name = NewName();
        var user = (await RegisterAsync(name)).User.UserId;

        var codes = await AtOnceAsync(5, i => ChangeAsync(user, changed: $"{OtherPassword} {i}"));

        Assert.That(codes, Has.Exactly(1).Empty.And.Exactly(4).EqualTo("not-allowed"));
        Assert.That(await FamiliesAsync(user), Is.EqualTo(1));
    }

    [Test]
    public async Task No_login_with_the_old_password_outlives_the_change()
    {
        for (var i = 0; i < 10; i++)
        {
            var name = NewName();
            var user = (await RegisterAsync(name)).User.UserId;

            var codes = await AtOnceAsync(6, which => which == 0 ? ChangeAsync(user) : LogInAsync(name));

            Assert.That(codes[0], Is.Empty);
            Assert.That(await FamiliesAsync(user), Is.EqualTo(1));
        }
    }

    [Test]
    public async Task A_login_with_the_old_password_waits_for_a_change_that_is_being_written_and_is_refused()
    {
        var name = NewName();
        var user = (await RegisterAsync(name)).User.UserId;
        await using var change = await HoldAsync(
            $"UPDATE accounts SET password_hash = '$2b$04$' || repeat('x', 53) WHERE user_id = '{user}'");

        var login = CodeAsync(() => LogInAsync(name));
        await UntilItWaitsAsync(login);
        await CommitAsync(change);

        Assert.That(await login, Is.EqualTo("unauthenticated"));
    }

    private Task<LoginResult> ChangeAsync(UserId user, string current = Password, string changed = OtherPassword) =>
        Slices.SendAsync(new ChangePassword(user, new Password(current), new Password(changed), NewOrigin()));

    private Task<long> FamiliesAsync(UserId user) =>
        Slices.ScalarAsync<long>("SELECT count(*) FROM refresh_tokens WHERE user_id = @UserId", new { UserId = user.Value });
}
