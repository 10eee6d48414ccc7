using System.Security.Cryptography;
using System.Text;
using Messaging.Application.Accounts;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Messaging.Infrastructure.Accounts;

/// <summary>
/// PBKDF2 with HMAC-SHA-512 in the form of ASP.NET Core Identity. Bcrypt of other systems is understood and never made. Half of the cores
/// at most hash at a time, so that a flood of logins leaves the other half to the service.
/// </summary>
public sealed class PasswordHashing : IPasswordHashing
{
    // Bcrypt sees no more of a password, in UTF-8.
    private const int BcryptBytes = 72;

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);
    private static readonly object Anyone = new();

    private readonly FairQueue queue;
    private readonly IPasswordHasher<object> hasher;
    private readonly string nobodys;

    /// <summary>Hashes as the settings say, or by the hasher that is given.</summary>
    public PasswordHashing(AccountSettings settings, IPasswordHasher<object>? hasher = null)
    {
        queue = new(Math.Max(1, Environment.ProcessorCount / 2), settings.HashQueuePerAddress, MaxWait);
        this.hasher = hasher
            ?? new PasswordHasher<object>(Options.Create(new PasswordHasherOptions { IterationCount = settings.HashIterations }));
        nobodys = this.hasher.HashPassword(Anyone, Convert.ToHexString(RandomNumberGenerator.GetBytes(32)));
    }

    public Task<string> HashAsync(Password password, string origin, CancellationToken ct) =>
        queue.RunAsync(origin, () => hasher.HashPassword(Anyone, password.Composed), ct);

    public Task<PasswordMatch> CheckAsync(string? hash, Password password, string origin, CancellationToken ct) =>
        queue.RunAsync(origin, () => Check(hash ?? nobodys, password), ct);

    private PasswordMatch Check(string hash, Password password) => hash.StartsWith("$2", StringComparison.Ordinal)
        ? CheckBcrypt(hash, password)
        : hasher.VerifyHashedPassword(Anyone, hash, password.Composed) switch
        {
            PasswordVerificationResult.Success => PasswordMatch.Right,
            PasswordVerificationResult.SuccessRehashNeeded => PasswordMatch.RightButWeak,
            _ => PasswordMatch.Wrong,
        };

    // Whether the other system composed what was typed is not known. What was proven by its first bytes alone is not hashed anew: what
    // comes after them may be mistyped.
    private static PasswordMatch CheckBcrypt(string hash, Password password)
    {
        foreach (var form in new[] { password.Text, password.Composed }.Distinct(StringComparer.Ordinal))
        {
            if (BCrypt.Net.BCrypt.Verify(form, hash))
                return Encoding.UTF8.GetByteCount(form) <= BcryptBytes ? PasswordMatch.RightButWeak : PasswordMatch.Right;
        }
        return PasswordMatch.Wrong;
    }
}
