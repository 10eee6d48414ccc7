namespace Messaging.Migrations;

/// <summary>A migration that cannot go on. The message is one line for an operator and holds no secret.</summary>
public sealed class MigrationException : Exception
{
    public MigrationException()
    {
    }

    public MigrationException(string message)
        : base(message)
    {
    }

    public MigrationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
