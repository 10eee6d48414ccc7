using System.Net.Http.Headers;
using NUnit.Framework;

namespace Messaging.Testing;

/// <summary>Holds every answer against the served document; one that is not as documented fails the test that asked.</summary>
public sealed class ContractHandler() : DelegatingHandler(new SocketsHttpHandler())
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        var type = response.Content.Headers.ContentType;
        var isFile = type is not null && !IsJson(type) && response.IsSuccessStatusCode;
        var body = isFile ? [] : await response.Content.ReadAsByteArrayAsync(cancellationToken);
        var deviation = Contract.Served.Deviation(
            request.Method, request.RequestUri!.AbsolutePath, (int)response.StatusCode, type?.MediaType, body);
        if (deviation is null)
            return response;
        response.Dispose();
        throw new AssertionException(
            $"{request.Method} {request.RequestUri.AbsolutePath} answered {(int)response.StatusCode} against the document:\n{deviation}");
    }

    static bool IsJson(MediaTypeHeaderValue? type) =>
        type?.MediaType is { } media && (media == "application/json" || media.EndsWith("+json", StringComparison.Ordinal));
}
