using System.Net.Sockets;
using Messaging.Infrastructure.Outbound;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>Puts failures of calls into words for whoever owns the address: what to look at, and no address behind the name.</summary>
public static class WebhookFailures
{
    /// <summary>Null for what no other side can cause: a defect of ours.</summary>
    public static string? Describe(Exception failure) => failure switch
    {
        OperationCanceledException => "There was no whole answer within 15 s.",
        HttpRequestException { InnerException: PrivateAddressException e } => e.Message,
        HttpRequestException e => Describe(e),
        // While an answer is read.
        IOException => "The answer broke off.",
        NotSupportedException => "Only http and https addresses are called.",
        _ => null,
    };

    private static string Describe(HttpRequestException failure) => failure.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError => "The name of the host cannot be looked up.",
        HttpRequestError.SecureConnectionError =>
            "No secure connection was made: the host does not speak TLS at this port, or its certificate is not valid for it, or the chain "
                + "was not sent.",
        HttpRequestError.ConnectionError => failure.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused }
            ? "The connection was refused." : "No connection was made.",
        HttpRequestError.ConfigurationLimitExceeded => "The answer has too large headers.",
        HttpRequestError.InvalidResponse => "The answer is not HTTP.",
        _ => "The connection ended without an answer.",
    };
}
