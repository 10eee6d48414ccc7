using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Messaging.Api.OpenApi;

/// <summary>Gives every body an example, made from its schema, so that none can be forgotten or grow stale.</summary>
public static class Examples
{
    private const int Deepest = 8;

    public static Task DescribeAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken ct)
    {
        foreach (var operation in document.Paths.Values.SelectMany(path => path.Operations!.Values))
        {
            var bodies = operation.Responses!.Values.OfType<OpenApiResponse>().SelectMany(response => response.Content?.Values ?? [])
                .Concat(operation.RequestBody?.Content?.Values ?? []);
            foreach (var body in bodies)
                Illustrate(document, body);
        }
        return Task.CompletedTask;
    }

    private static void Illustrate(OpenApiDocument document, OpenApiMediaType body)
    {
        if (body.Example is not null || body.Examples is { Count: > 0 } || body.Schema is not { } schema)
            return;
        if (schema is not OpenApiSchemaReference { Reference.Id: { } id })
        {
            body.Example = Make(schema, "", 0);
            return;
        }
        if (document.Components!.Examples?.ContainsKey(id) != true)
            document.AddComponent<IOpenApiExample>(id, new OpenApiExample { Summary = "An example", Value = Make(schema, id, 0) });
        body.Examples = new Dictionary<string, IOpenApiExample>(
            StringComparer.Ordinal) { ["example"] = new OpenApiExampleReference(id, document) };
    }

    /// <summary>A value that fits the schema; what a member is called decides what it says.</summary>
    private static JsonNode? Make(IOpenApiSchema schema, string name, int depth)
    {
        var nullable = schema.Type is null
            ? Alternatives(schema).Any(part => part.Type is JsonSchemaType.Null) : schema.Type.Value.HasFlag(JsonSchemaType.Null);
        if (nullable && (depth > Deepest || Samples.IsUsuallyNull(name)))
            return null;
        if (Alternatives(schema).FirstOrDefault(part => part.Type is not JsonSchemaType.Null) is { } alternative)
            return Make(alternative, name, depth);
        if (schema.Examples is [{ } own, ..])
            return own.DeepClone();
        if (schema.Enum is { Count: > 0 } values)
            return values.First(value => value is not null).DeepClone();
        return (schema.Type & ~JsonSchemaType.Null) switch
        {
            JsonSchemaType.Object => MakeObject(schema, depth),
            JsonSchemaType.Array => schema.Items is { } item ? new JsonArray(Make(item, name, depth + 1)) : [],
            JsonSchemaType.Boolean => Samples.IsUsuallyTrue(name),
            JsonSchemaType.Integer or JsonSchemaType.Number => schema.Default?.DeepClone() ?? Samples.Number(name, Minimum(schema)),
            JsonSchemaType.String => Samples.Text(name, schema.Format),
            _ => null,
        };
    }

    private static JsonObject MakeObject(IOpenApiSchema schema, int depth) =>
        new((schema.Properties ?? new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal))
            .Select(member => KeyValuePair.Create(member.Key, Make(member.Value, member.Key, depth + 1))));

    private static IEnumerable<IOpenApiSchema> Alternatives(IOpenApiSchema schema) => (schema.OneOf ?? []).Concat(schema.AnyOf ?? []);

    private static long Minimum(IOpenApiSchema schema) =>
        long.TryParse(schema.Minimum, CultureInfo.InvariantCulture, out var minimum) ? minimum : 0;
}
