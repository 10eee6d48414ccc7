namespace Messaging.Postgres;

/// <summary>The server cannot run; the message says what to do about it and is fit to be shown as it is.</summary>
public sealed class PrivatePostgresException : Exception
{
    public PrivatePostgresException(string message)
        : base(message)
    {
    }

    public PrivatePostgresException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public PrivatePostgresException()
    {
    }
}
