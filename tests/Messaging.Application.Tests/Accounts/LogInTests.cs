using System.Collections.Concurrent;
using Messaging.Domain.Accounts;
using Messaging.Domain.Common;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using NodaTime;

namespace Messaging.Application.Tests.Accounts;

public sealed class LogInTests : AccountFixture
{
    private readonly RecordingHasher hasher = new();

    [Test]
    public async Task The_password_logs_in_whatever_the_case_of_the_name()
    {
        var name = NewName();
        var user = (await RegisterAsync(name)).User;

        var login = await LogInAsync(name.ToUpperInvariant());

        Assert.That(login.User, Is.EqualTo(user));
        Assert.That(login.ExpiresAt - SystemClock.Instance.GetCurrentInstant(),
            Is.GreaterThan(Duration.FromMinutes(14)).And.LessThan(Duration.FromMinutes(16)));
    }

    [Test]
    public async Task A_wrong_password_and_an_unknown_name_get_the_same_answer()
    {
        var name = NewName();
        await RegisterAsync(name);

        var wrong = await ProblemAsync(() => LogInAsync(name, OtherPassword));
        var unknown = await ProblemAsync(() => LogInAsync(NewName(), OtherPassword));

        Assert.That(wrong.Code, Is.EqualTo("unauthenticated"));
        Assert.That(unknown, Is.EqualTo(wrong));
    }

    // So that the time of the answer does not tell which names there are.
    [Test]
    public async Task An_unknown_name_takes_the_same_hashing_as_a_known_one()
    {
        var (name, atKnown, atUnknown) = (NewName(), "no password of a known name", "no password of an unknown name");
        await RegisterAsync(name);

        await ProblemAsync(() => LogInAsync(name, atKnown));
        await ProblemAsync(() => LogInAsync(NewName(), atUnknown));

        Assert.That(hasher.CostsOf(atKnown), Has.Count.EqualTo(1));
        Assert.That(hasher.CostsOf(atUnknown), Is.EqualTo(hasher.CostsOf(atKnown)));
    }

    [Test]
    public async Task Twenty_simultaneous_logins_with_the_right_password_all_pass()
    {
        var name = NewName();
        await RegisterAsync(name);

        Assert.That(await AtOnceAsync(20, _ => LogInAsync(name)), Is.All.Empty);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task After_ten_failures_the_name_is_refused_be_there_an_account_or_not(bool isThere)
    {
        var name = NewName();
        if (isThere)
            await RegisterAsync(name);
        for (var i = 0; i < 10; i++)
            Assert.That(await CodeAsync(() => LogInAsync(name, OtherPassword)), Is.EqualTo("unauthenticated"), $"{i}");

        var problem = await ProblemAsync(() => LogInAsync(name));

        Assert.That(problem.Code, Is.EqualTo("rate-limited"));
        Assert.That(problem.RetryAfterSeconds, Is.InRange(890, 900));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Of_twenty_simultaneous_wrong_attempts_ten_are_judged(bool isThere)
    {
        var name = NewName();
        if (isThere)
            await RegisterAsync(name);

        var codes = await AtOnceAsync(20, i => LogInAsync(i % 2 == 0 ? name : name.ToLowerInvariant(), OtherPassword));

        Assert.That(codes, Has.Exactly(10).EqualTo("unauthenticated").And.Exactly(10).EqualTo("rate-limited"));
        Assert.That(await CodeAsync(() => LogInAsync(name)), Is.EqualTo("rate-limited"));
    }

    [Test]
    public async Task The_right_password_is_refused_too_when_it_was_being_checked_as_the_name_was_locked()
    {
        var name = NewName();
        await RegisterAsync(name);
        await using var held = await HoldAsync("LOCK TABLE accounts IN EXCLUSIVE MODE");

        var login = CodeAsync(() => LogInAsync(name));
        await UntilItWaitsAsync(login);
        await Slices.ExecuteAsync(
            "INSERT INTO login_failures (username, failures, ends_at) VALUES (lower(@Name), 10, now() + interval '1 minute')",
            new { Name = name });
        await CommitAsync(held);

        Assert.That(await login, Is.EqualTo("rate-limited"));
    }

    [Test]
    public async Task A_lockout_ends_and_the_count_begins_anew()
    {
        var name = NewName();
        await RegisterAsync(name);
        await FailAsync(name, 10);
        await PassAsync(name, minutes: 15);

        Assert.That(await CodeAsync(() => LogInAsync(name, OtherPassword)), Is.EqualTo("unauthenticated"));
        Assert.That(await CodeAsync(() => LogInAsync(name)), Is.Empty);
    }

    [Test]
    public async Task The_last_failure_locks_for_the_whole_time()
    {
        var name = NewName();
        await FailAsync(name, 9);
        await PassAsync(name, minutes: 14);
        await FailAsync(name, 1);

        Assert.That((await ProblemAsync(() => LogInAsync(name))).RetryAfterSeconds, Is.InRange(890, 900));
    }

    [Test]
    public async Task Failures_of_long_ago_do_not_count()
    {
        var name = NewName();
        await FailAsync(name, 9);
        await PassAsync(name, minutes: 15);

        Assert.That(await AtOnceAsync(10, _ => LogInAsync(name, OtherPassword)), Is.All.EqualTo("unauthenticated"));
    }

    [Test]
    public async Task A_login_ends_the_count()
    {
        var name = NewName();
        await RegisterAsync(name);
        await FailAsync(name, 9);
        await LogInAsync(name);

        Assert.That(await AtOnceAsync(10, _ => LogInAsync(name, OtherPassword)), Is.All.EqualTo("unauthenticated"));
    }

    [Test]
    public async Task One_names_lockout_is_not_anothers()
    {
        var (name, other) = (NewName(), NewName());
        await RegisterAsync(other);
        await FailAsync(name, 10);

        Assert.That(await CodeAsync(() => LogInAsync(other)), Is.Empty);
    }

    [Test]
    public async Task A_device_that_was_logged_in_before_is_not_locked_out_by_strangers()
    {
        var name = NewName();
        var device = (await RegisterAsync(name)).RefreshToken;
        await FailAsync(name, 11);

        Assert.That(await CodeAsync(() => LogInAsync(name)), Is.EqualTo("rate-limited"));
        Assert.That(await CodeAsync(() => LogInAsync(name, device: device)), Is.Empty);
    }

    [Test]
    public async Task Nor_is_one_whose_login_is_over()
    {
        var name = NewName();
        var login = await RegisterAsync(name);
        await Slices.ExecuteAsync(
            "UPDATE refresh_tokens SET expires_at = now() WHERE user_id = @UserId", new { UserId = login.User.UserId.Value });
        await CodeAsync(() => RefreshAsync(login.RefreshToken));
        await FailAsync(name, 11);

        Assert.That(await CodeAsync(() => LogInAsync(name, device: login.RefreshToken)), Is.Empty);
    }

    [Test]
    public async Task A_device_has_ten_attempts_of_its_own()
    {
        var name = NewName();
        var device = (await RegisterAsync(name)).RefreshToken;

        var codes = await AtOnceAsync(10, _ => LogInAsync(name, OtherPassword, device));

        Assert.That(codes, Is.All.EqualTo("unauthenticated"));
        Assert.That(await CodeAsync(() => LogInAsync(name, device: device)), Is.EqualTo("rate-limited"));
        Assert.That(await CodeAsync(() => LogInAsync(name)), Is.Empty);
    }

    [Test]
    public async Task A_stranger_does_not_pass_for_a_device_of_the_account()
    {
        var name = NewName();
        var used = (await RegisterAsync(name)).RefreshToken;
        await RefreshAsync(used);
        var others = (await RegisterAsync(NewName())).RefreshToken;
        await FailAsync(name, 11);

        foreach (var device in new[] { used, others, RefreshToken.New().Reveal() })
            Assert.That(await CodeAsync(() => LogInAsync(name, device: device)), Is.EqualTo("rate-limited"));
    }

    [TestCase("ab")]
    [TestCase("anna@host.test")]
    [TestCase("' OR 1=1 --")]
    public async Task A_failed_login_with_an_invalid_username_is_not_counted(string name)
    {
        Assert.That((await ProblemAsync(() => LogInAsync(name))).Member, Is.EqualTo("username"));
        Assert.That(await Slices.ScalarAsync<long>(
            "SELECT count(*) FROM login_failures WHERE username = lower(@Name)", new { Name = name }), Is.Zero);
    }

    [Test]
    public async Task An_endless_password_is_refused_unread() =>
        Assert.That((await ProblemAsync(() => LogInAsync(NewName(), new string('x', 1_001)))).Member, Is.EqualTo("password"));

    [Test]
    public async Task A_bcrypt_hash_of_another_system_is_good_once_and_then_replaced()
    {
        var (name, id) = await ImportAsync(BCrypt.Net.BCrypt.HashPassword(Password, workFactor: 4));

        Assert.That(await CodeAsync(() => LogInAsync(name, OtherPassword)), Is.EqualTo("unauthenticated"));
        Assert.That((await LogInAsync(name)).User.UserId, Is.EqualTo(id));

        Assert.That(await HashOfAsync(id), Does.StartWith("AQAAAA"));
        Assert.That((await LogInAsync(name)).User.UserId, Is.EqualTo(id));
    }

    [Test]
    public async Task Twenty_simultaneous_first_logins_replace_it_together()
    {
        var (name, _) = await ImportAsync(BCrypt.Net.BCrypt.HashPassword(Password, workFactor: 4));

        Assert.That(await AtOnceAsync(20, _ => LogInAsync(name)), Is.All.Empty);
    }

    [Test]
    public async Task A_hash_of_fewer_iterations_is_replaced_by_the_next_login()
    {
        var weak = new PasswordHasher<object>(Options.Create(new PasswordHasherOptions { IterationCount = 1 }))
            .HashPassword(new(), Password);
        var (name, id) = await ImportAsync(weak);

        await LogInAsync(name);

        Assert.That(await HashOfAsync(id), Is.Not.EqualTo(weak));
        Assert.That(await CodeAsync(() => LogInAsync(name)), Is.Empty);
    }

    private async Task FailAsync(string name, int times)
    {
        for (var i = 0; i < times; i++)
            await CodeAsync(() => LogInAsync(name, OtherPassword));
    }

    private Task PassAsync(string name, int minutes) => Slices.ExecuteAsync(
        "UPDATE login_failures SET ends_at = ends_at - make_interval(mins => @Minutes) WHERE username = lower(@Name)",
        new { Name = name, Minutes = minutes });

    private async Task<(string Name, UserId Id)> ImportAsync(string hash)
    {
        var (name, id) = (NewName(), await Slices.UserAsync());
        await Slices.ExecuteAsync(
            "INSERT INTO accounts (user_id, username, password_hash, created_at, password_changed_at) "
                + "VALUES (@Id, @Name, @Hash, now(), now())",
            new { Id = id.Value, Name = name, Hash = hash });
        return (name, id);
    }

    private Task<string> HashOfAsync(UserId id) =>
        Slices.ScalarAsync<string>("SELECT password_hash FROM accounts WHERE user_id = @Id", new { Id = id.Value });

    protected override void Add(IServiceCollection services)
    {
        base.Add(services);
        services.AddSingleton<IPasswordHasher<object>>(hasher);
    }

    /// <summary>Remembers what each password was checked against.</summary>
    private sealed class RecordingHasher() : PasswordHasher<object>(Options.Create(new PasswordHasherOptions { IterationCount = 10 }))
    {
        // Before the salt: the form, the function, the iterations and the length of the salt.
        private const int CostBytes = 13;

        private readonly ConcurrentQueue<(string Password, string Cost)> checks = new();

        public override PasswordVerificationResult VerifyHashedPassword(object user, string hashedPassword, string providedPassword)
        {
            var hash = Convert.FromBase64String(hashedPassword);
            checks.Enqueue((providedPassword, $"{Convert.ToHexString(hash[..CostBytes])} of {hash.Length}"));
            return base.VerifyHashedPassword(user, hashedPassword, providedPassword);
        }

        public List<string> CostsOf(string password) => [.. checks.Where(check => check.Password == password).Select(check => check.Cost)];
    }
}
