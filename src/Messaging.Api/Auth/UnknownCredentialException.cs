namespace Messaging.Api.Auth;

/// <summary>
/// A key or token that nobody can have been given here, so that whoever sends many of them is guessing: a token that is made up or forged,
/// a key that is unknown or revoked; not a token that has expired or was revoked, which happens to every client. The message
/// is for the caller and names no secret.
/// </summary>
internal sealed class UnknownCredentialException(string message) : Exception(message);
