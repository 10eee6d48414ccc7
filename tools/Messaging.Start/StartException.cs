namespace Messaging.Start;

/// <summary>The start cannot go on; the message is for the person at the terminal and fit to be shown as it is.</summary>
sealed class StartException : Exception
{
    public StartException(string message)
        : base(message)
    {
    }

    public StartException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public StartException()
    {
    }
}
