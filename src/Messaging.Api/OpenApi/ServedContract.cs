using System.Security.Cryptography;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;

namespace Messaging.Api.OpenApi;

/// <summary>The contract's bytes, made once, when somebody first asks: nothing in it changes while the service runs.</summary>
public sealed class ServedContract(IServiceScopeFactory scopes)
{
    private readonly Lazy<Task<(byte[] Json, EntityTagHeaderValue Tag)>> made = new(() => MakeAsync(scopes));

    public Task<(byte[] Json, EntityTagHeaderValue Tag)> GetAsync() => made.Value;

    private static async Task<(byte[] Json, EntityTagHeaderValue Tag)> MakeAsync(IServiceScopeFactory scopes)
    {
        await using var scope = scopes.CreateAsyncScope();
        var provider = scope.ServiceProvider.GetRequiredKeyedService<IOpenApiDocumentProvider>(OpenApiModule.Document);
        var document = await provider.GetOpenApiDocumentAsync();
        using var json = new MemoryStream();
        await document.SerializeAsJsonAsync(json, OpenApiSpecVersion.OpenApi3_1);
        var bytes = json.ToArray();
        return (bytes, new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}\""));
    }
}
