namespace Messaging.Api.Auth;

/// <summary>
/// A key or token that nobody can have been given here, so that whoever sends many of them is guessing: made up, forged or revoked, but not
/// merely expired, which happens to every client. The message is for the caller and names no secret.
/// </summary>
internal sealed class UnknownCredentialException(string message) : Exception(message);
