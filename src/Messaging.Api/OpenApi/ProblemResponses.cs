using System.Text.Json;
using System.Text.Json.Nodes;
using Messaging.Api.Errors;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Messaging.Api.OpenApi;

/// <summary>One response for each set of codes that some call refuses with, all of one status; calls refer to them.</summary>
public static class ProblemResponses
{
    /// <summary>The response that stands for every status which a call does not name.</summary>
    public const string Any = "Problem";

    private static readonly IReadOnlyList<ProblemKind> Elsewhere =
    [
        ProblemKinds.Of(ProblemCodes.Internal), ProblemKinds.Of(EdgeCodes.MethodNotAllowed), ProblemKinds.Of(EdgeCodes.NotAcceptable),
        ProblemKinds.Of(EdgeCodes.RequestTimeout),
    ];

    /// <summary>Its name says the codes, so that it is the same for all calls that have them.</summary>
    public static string Name(IEnumerable<ProblemKind> kinds) =>
        string.Join('.', kinds.Select(kind => kind.Code).Order(StringComparer.Ordinal));

    public static async Task DescribeAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken ct)
    {
        // The framework's shape of a problem, which some endpoint named for its status alone.
        document.Components!.Schemas!.Remove("ProblemDetails");
        document.AddComponent<IOpenApiSchema>(
            "ProblemError", await context.GetOrCreateSchemaAsync(typeof(ProblemError), cancellationToken: ct));
        var schema = await context.GetOrCreateSchemaAsync(typeof(ProblemBody), cancellationToken: ct);
        schema.Required!.Remove("errors");
        schema.Properties!["errors"] = new OpenApiSchema
        {
            Type = JsonSchemaType.Array,
            Items = new OpenApiSchemaReference("ProblemError", document),
            Description = schema.Properties["errors"].Description,
        };
        document.AddComponent<IOpenApiSchema>("Problem", schema);

        document.AddComponent<IOpenApiResponse>(Any, Response(document, Elsewhere));
        var used = document.Paths.Values
            .SelectMany(path => path.Operations!.Values)
            .SelectMany(operation => operation.Responses!.Values.OfType<OpenApiResponseReference>())
            .Select(response => response.Reference.Id!)
            .Where(name => name != Any)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal);
        foreach (var name in used)
        {
            var kinds = name.Split('.').Select(ProblemKinds.Of).ToList();
            document.AddComponent<IOpenApiResponse>(name, Response(document, kinds));
        }
    }

    private static OpenApiResponse Response(OpenApiDocument document, IReadOnlyList<ProblemKind> kinds)
    {
        var response = new OpenApiResponse
        {
            Description = string.Join('\n', kinds.Select(kind => $"`{kind.Code}`: {kind.Title}.")),
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                [ProblemBody.ContentType] = new() { Schema = OneOf(document, kinds), Example = Example(kinds[0]) },
            },
        };
        if (kinds[0].Status is 429 or 503)
        {
            response.Headers = new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal)
            {
                ["Retry-After"] = new OpenApiHeaderReference("Retry-After", document),
            };
        }
        return response;
    }

    private static OpenApiSchema OneOf(OpenApiDocument document, IEnumerable<ProblemKind> kinds) => new()
    {
        AllOf =
        [
            new OpenApiSchemaReference("Problem", document),
            new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal)
                {
                    ["code"] = new OpenApiSchema { Type = JsonSchemaType.String,
                        Enum = [.. kinds.Select(kind => JsonValue.Create(kind.Code))] },
                },
            },
        ],
    };

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
