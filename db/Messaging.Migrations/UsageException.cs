namespace Messaging.Migrations;

/// <summary>Wrong use of the command line: exit code 2.</summary>
sealed class UsageException(string message) : Exception(message);
