namespace Messaging.Application.Accounts;

/// <summary>
/// Makes and checks what is stored of passwords. Slow by design, and done for few at a time, those of one origin in turn with those of the
/// others: not to be called within a transaction.
/// </summary>
public interface IPasswordHashing
{
    /// <summary>What is to be stored of the password; another text each time.</summary>
    /// <param name="origin">Where it comes from: an address, or a device or user who is known already.</param>
    Task<string> HashAsync(Password password, string origin, CancellationToken ct);

    /// <summary>Whether it is the password of which this was stored.</summary>
    /// <param name="hash">Null for an account that there is not, which takes as long as for one that there is.</param>
    Task<PasswordMatch> CheckAsync(string? hash, Password password, string origin, CancellationToken ct);
}

/// <summary>What a check found.</summary>
public enum PasswordMatch
{
    Wrong,
    Right,

    /// <summary>Right, and what is stored of it should be made anew, stronger.</summary>
    RightButWeak,
}
