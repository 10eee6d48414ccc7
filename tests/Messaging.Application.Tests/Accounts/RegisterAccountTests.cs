using Messaging.Application.Accounts;
using Messaging.Application.Users;
using Messaging.Domain.Common;

namespace Messaging.Application.Tests.Accounts;

public sealed class RegisterAccountTests : AccountFixture
{
    [Test]
    public async Task A_registered_user_is_logged_in_and_bears_the_username()
    {
        var name = NewName();

        var login = await RegisterAsync(name);

        Assert.That((login.User.Username, login.User.DisplayName), Is.EqualTo((name, name)));
        Assert.That(login.AccessToken, Does.StartWith(login.User.UserId.Value));
        Assert.That(await RefreshAsync(login.RefreshToken), Has.Property("User").EqualTo(login.User));
    }

    [Test]
    public async Task Wherever_a_user_is_read_the_service_and_the_user_see_the_username()
    {
        var (name, other) = (NewName(), await Slices.UserAsync());
        var id = (await RegisterAsync(name)).User.UserId;

        foreach (var viewer in new[] { new Actor(id), Actor.Service })
        {
            Assert.That((await Slices.SendAsync(new GetUser(viewer, id))).Username, Is.EqualTo(name));
            Assert.That((await Slices.SendAsync(new ListUsers(viewer, $"{id},{other}"))).Items.Select(u => u.Username),
                Is.EqualTo(new[] { name, null }));
            Assert.That((await Slices.SendAsync(new SearchUsers(viewer, name, 10, null))).Items.Single().Username, Is.EqualTo(name));
        }
        Assert.That((await Slices.SendAsync(new GetMe(id))).Username, Is.EqualTo(name));
        Assert.That((await Slices.SendAsync(new PutUser(id, "Anna", null, null, null, null))).Value.Username, Is.EqualTo(name));
        Assert.That((await Slices.SendAsync(new PutUsers([new(id, "Anna", null, null, null, null)])))[0].Username, Is.EqualTo(name));
        Assert.That(
            (await Slices.SendAsync(new UpdateMe(id, new("Anna B."), default, default, default, default))).Username, Is.EqualTo(name));
    }

    [Test]
    public async Task Others_find_a_user_by_the_username_and_do_not_see_it()
    {
        var (name, viewer) = (NewName(), new Actor(await Slices.UserAsync()));
        var id = (await RegisterAsync(name)).User.UserId;

        var profiles = new[]
        {
            (await Slices.SendAsync(new SearchUsers(viewer, name[..^1], 10, null))).Items.Single(),
            (await Slices.SendAsync(new ListUsers(viewer, id.Value))).Items.Single(),
            await Slices.SendAsync(new GetUser(viewer, id)),
        };

        Assert.That(profiles.Select(profile => (profile.UserId, profile.Username)), Is.All.EqualTo((id, (string?)null)));
    }

    [Test]
    public async Task The_id_is_not_the_users_to_choose()
    {
        var host = await Slices.UserAsync("host_user");
        await Slices.ExecuteAsync("INSERT INTO users (id, created_at, updated_at) VALUES ('grace', now(), now())");

        var login = await RegisterAsync("grace");

        Assert.That(login.User.UserId.Value, Is.Not.EqualTo("grace").And.Not.EqualTo(host.Value));
        Assert.That(Guid.Parse(login.User.UserId.Value).Version, Is.EqualTo(7));
        Assert.That((await Slices.SendAsync(new GetUser(Actor.Service, new UserId("grace")))).Username, Is.Null);
    }

    [Test]
    public async Task A_name_is_unique_whatever_its_case()
    {
        var name = NewName();
        await RegisterAsync(name);

        var problem = await ProblemAsync(() => RegisterAsync(name.ToUpperInvariant()));

        Assert.That((problem.Code, problem.Member), Is.EqualTo(("already-exists", "username")));
    }

    [Test]
    public async Task Twenty_simultaneous_registrations_of_a_name_make_one_user()
    {
        var name = NewName();

        var codes = await AtOnceAsync(20, i => RegisterAsync(i % 2 == 0 ? name : name.ToLowerInvariant()));

        Assert.That(codes, Has.Exactly(1).Empty.And.Exactly(19).EqualTo("already-exists"));
        Assert.That(await Slices.ScalarAsync<long>(
            "SELECT count(*) FROM users WHERE lower(display_name) = lower(@Name)", new { Name = name }), Is.EqualTo(1));
    }

    [TestCase("ab")]
    [TestCase("012345678901234567890123456789012345678901234567890")]
    [TestCase("anna berg")]
    [TestCase("änna")]
    [TestCase("anna-berg")]
    [TestCase("anna@host.test")]
    [TestCase("anna\n")]
    [TestCase("")]
    public async Task Any_other_name_is_refused(string name)
    {
        var problem = await ProblemAsync(() => RegisterAsync(name));

        Assert.That((problem.Code, problem.Member), Is.EqualTo(("invalid-request", "username")));
    }

    [TestCase("password123")]
    [TestCase("too short")]
    public async Task A_bad_password_is_refused_with_its_pointer(string password)
    {
        var problem = await ProblemAsync(() => RegisterAsync(NewName(), password));

        Assert.That((problem.Code, problem.Member), Is.EqualTo(("invalid-request", "password")));
    }

    [Test]
    public async Task A_password_is_not_made_of_the_username() =>
        Assert.That(await RefusalAsync(() => RegisterAsync("anna_berg", "Anna_Berg-2026")), Is.EqualTo("invalid-request"));

    [Test]
    public async Task Nothing_that_is_stored_tells_the_password_or_a_token()
    {
        var (name, password) = (NewName(), $"secret {Guid.NewGuid()}");
        var login = await RegisterAsync(name, password);

        var stored = await Slices.ScalarAsync<string>(
            "SELECT concat((SELECT string_agg(a::text, ' ') FROM accounts AS a), (SELECT string_agg(t::text, ' ') "
                + "FROM refresh_tokens AS t))");

        Assert.That(stored, Does.Contain(name).And.Not.Contain(password).And.Not.Contain(login.RefreshToken[4..40]));
    }

    [Test]
    public void Requests_do_not_print_passwords() =>
        Assert.That($"{new RegisterAccount("anna", new Password(Password), null, "here")} "
            + $"{new LogIn("anna", new Password(Password), "here")}", Does.Not.Contain(Password));

    [TestCase("an old password")]
    [TestCase("$2b$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [TestCase("$2b$10$tooshort")]
    [TestCase("")]
    public async Task The_database_refuses_what_is_no_hash_or_too_dear_a_one(string hash)
    {
        var id = await Slices.UserAsync();

        Assert.That(() => ImportAsync(id, NewName(), hash),
            Throws.InstanceOf<Npgsql.PostgresException>().With.Property("ConstraintName").EqualTo("ck_accounts_password_hash"));
    }

    private Task ImportAsync(UserId id, string name, string hash) => Slices.ExecuteAsync(
        "INSERT INTO accounts (user_id, username, password_hash, created_at, password_changed_at) VALUES (@Id, @Name, @Hash, now(), now())",
        new { Id = id.Value, Name = name, Hash = hash });
}
