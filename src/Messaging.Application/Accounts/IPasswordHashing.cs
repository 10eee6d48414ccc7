namespace Messaging.Application.Accounts;

/// <summary>
/// Makes and checks what is stored of passwords. Slow by design, and done for few at a time: not to be called within a transaction.
/// </summary>
public interface IPasswordHashing
{
    /// <summary>What is to be stored of the password; another text each time.</summary>
    Task<string> HashAsync(Password password, CancellationToken ct);

    /// <summary>Whether it is the password of which this was stored.</summary>
    /// <param name="hash">Null for an account that there is not, which takes as long as for one that there is.</param>
    Task<PasswordMatch> CheckAsync(string? hash, Password password, CancellationToken ct);
}

/// <summary>What a check found.</summary>
public enum PasswordMatch
{
    Wrong,
    Right,

    /// <summary>Right, and what is stored of it should be made anew, stronger.</summary>
    RightButWeak,
}
