using Messaging.Application.Accounts;
using Messaging.Application.Users;
using Messaging.Domain.Accounts;
using Messaging.Infrastructure.Accounts;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Messaging.Application.Tests.Accounts;

/// <summary>The application with accounts, whose hashes are quick to make.</summary>
public abstract class AccountFixture : SliceFixture
{
    protected const string Password = "a fox that reads at night";
    protected const string OtherPassword = "two owls in one old oak";

    protected override void Add(IServiceCollection services) => services
        .AddSingleton(new AccountSettings { HashIterations = 10 })
        .AddSingleton<IPasswordHashing, PasswordHashing>()
        .AddSingleton<UserTokenSigner>(token => $"{token.UserId} until {token.ExpiresAt}");

    /// <summary>A name that nobody has.</summary>
    protected static string NewName() => $"Anna_{Guid.NewGuid():N}"[..20];

    protected Task<LoginResult> RegisterAsync(string name, string password = Password) =>
        Slices.SendAsync(new RegisterAccount(name, new Password(password), DisplayName: null, NewOrigin()));

    /// <param name="device">The refresh token that the device was given last.</param>
    protected Task<LoginResult> LogInAsync(string name, string password = Password, string? device = null) => Slices.SendAsync(
        new LogIn(name, new Password(password), NewOrigin(), RefreshToken.TryParse(device, out var token) ? token : null));

    protected Task<LoginResult> RefreshAsync(string token) => Slices.SendAsync(new RefreshLogin(token));

    /// <summary>An address that nobody else comes from.</summary>
    protected static string NewOrigin() => $"address:{Guid.NewGuid()}";

    /// <summary>Begins a transaction with the statement; <see cref="CommitAsync"/> ends it.</summary>
    protected async Task<NpgsqlConnection> HoldAsync(string sql)
    {
        var connection = new NpgsqlConnection(Slices.ConnectionString);
        await connection.OpenAsync();
        await using var begin = new NpgsqlCommand("BEGIN; " + sql, connection);
        await begin.ExecuteNonQueryAsync();
        return connection;
    }

    protected static async Task CommitAsync(NpgsqlConnection held)
    {
        await using var commit = new NpgsqlCommand("COMMIT", held);
        await commit.ExecuteNonQueryAsync();
    }

    /// <summary>Returns once the request waits for a lock, or is done without.</summary>
    protected async Task UntilItWaitsAsync(Task request)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!request.IsCompleted && await Slices.ScalarAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 0)
        {
            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>The codes of as many such requests at once.</summary>
    protected static async Task<IReadOnlyList<string>> AtOnceAsync(int count, Func<int, Task> request) =>
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(() => CodeAsync(() => request(i)))));
}
