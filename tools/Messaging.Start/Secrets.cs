using System.Security.Cryptography;

namespace Messaging.Start;

/// <summary>What the demo's callers show and the service expects.</summary>
sealed record Secrets(string Issuer, string Audience, string Hs256Secret, string ServiceKey)
{
    public static Secrets Generate() => new("messaging-demo", "messaging", Random(32), $"msk_demo_{Random(24)}");

    static string Random(int bytes) => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(bytes));
}
