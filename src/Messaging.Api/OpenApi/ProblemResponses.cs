using System.Text.Json;
using System.Text.Json.Nodes;
using Messaging.Api.Errors;
using Messaging.Application.Common;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;

namespace Messaging.Api.OpenApi;

/// <summary>One response per status of the contract's table of codes; calls refer to them.</summary>
public static class ProblemResponses
{
    /// <summary>The response that stands for every status which a call does not name.</summary>
    public const string Any = "Problem";

    public static string Name(int status) => ReasonPhrases.GetReasonPhrase(status).Replace(" ", "", StringComparison.Ordinal);

    public static async Task DescribeAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken ct)
    {
        // The framework's shape of a problem, which some endpoint named for its status alone.
        document.Components!.Schemas!.Remove("ProblemDetails");
        document.AddComponent<IOpenApiSchema>("ProblemError", await context.GetOrCreateSchemaAsync(typeof(ProblemError), cancellationToken: ct));
        var schema = await context.GetOrCreateSchemaAsync(typeof(ProblemBody), cancellationToken: ct);
        schema.Required!.Remove("errors");
        schema.Properties!["errors"] = new OpenApiSchema
        {
            Type = JsonSchemaType.Array,
            Items = new OpenApiSchemaReference("ProblemError", document),
            Description = schema.Properties["errors"].Description,
        };
        document.AddComponent<IOpenApiSchema>("Problem", schema);

        document.AddComponent<IOpenApiResponse>(Any, Response(document, "Any other refusal.", ProblemKinds.Of("internal")));
        var used = document.Paths.Values
            .SelectMany(path => path.Operations!.Values)
            .SelectMany(operation => operation.Responses!.Values.OfType<OpenApiResponseReference>())
            .Select(response => response.Reference.Id)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var kinds in ProblemKinds.All.GroupBy(kind => kind.Status).Where(kinds => used.Contains(Name(kinds.Key))))
        {
            var description = $"{kinds.First().Title}: {string.Join(", ", kinds.Select(kind => $"`{kind.Code}`"))}.";
            document.AddComponent<IOpenApiResponse>(Name(kinds.Key), Response(document, description, kinds.First()));
        }
    }

    private static OpenApiResponse Response(OpenApiDocument document, string description, ProblemKind kind)
    {
        var response = new OpenApiResponse
        {
            Description = description,
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                [ProblemBody.ContentType] = new() { Schema = new OpenApiSchemaReference("Problem", document), Example = Example(kind) },
            },
        };
        if (kind.Status is 429 or 503)
        {
            response.Headers = new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal)
            {
                ["Retry-After"] = new OpenApiHeaderReference("Retry-After", document),
            };
        }
        return response;
    }

    private static JsonNode Example(ProblemKind kind) => JsonSerializer.SerializeToNode(
        new ProblemBody(
            kind.Type,
            kind.Title,
            kind.Status,
            kind.Status == 400 ? "A value is required." : kind.Title + ".",
            "/v1/conversations",
            kind.Code,
            "4bf92f3577b34da6a3ce929d0e0e4736",
            kind.Status == 400 ? [new ProblemError("#/name", "A value is required.")] : null),
        MessagingJson.Options)!;
}
