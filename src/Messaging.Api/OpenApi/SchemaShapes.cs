using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Messaging.Api.Errors;
using Messaging.Api.Json;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using NodaTime;

namespace Messaging.Api.OpenApi;

/// <summary>Describes the values whose JSON form our own converters decide, which the generator cannot look into.</summary>
public static class SchemaShapes
{
    // The type of which a member of a patch is, until it refers to it.
    private const string Patched = "patched";

    private const string Uuid = "0195e3a2-7c3f-7b1e-9a55-3f0a4d1c2b6e";

    private static readonly Dictionary<Type, Action<OpenApiSchema>> Shapes = new()
    {
        [typeof(string)] = schema => schema.Type = JsonSchemaType.String,
        [typeof(UserId)] = schema => Text(schema, "anna", pattern: "^[A-Za-z0-9_.:@-]{1,64}$"),
        [typeof(ConversationId)] = schema => Text(schema, Uuid, "uuid"),
        [typeof(MessageId)] = schema => Text(schema, "0195e3a2-8d10-7f42-8c11-5b2e9f6a7d30", "uuid"),
        [typeof(AttachmentId)] = schema => Text(schema, "0195e3a2-9c44-7d15-b1f0-6a0e1c2d3f48", "uuid"),
        [typeof(Instant)] = schema => Text(schema, "2026-11-20T10:15:30.123456Z", "date-time"),
        [typeof(TimeParameter)] = schema => Text(schema, "2026-11-20T10:15:30.123Z", "date-time"),
        [typeof(JsonText)] = schema =>
        {
            schema.Type = JsonSchemaType.Object;
            schema.AdditionalPropertiesAllowed = true;
            schema.Examples = [new JsonObject { ["colour"] = "red" }];
        },
    };

    /// <summary>Names what becomes a component: objects and enumerations; values are described where they stand.</summary>
    public static string? ReferenceId(JsonTypeInfo type)
    {
        var plain = Nullable.GetUnderlyingType(type.Type) ?? type.Type;
        if (Shapes.ContainsKey(plain) || PatchedType(plain) is not null || WordsOf(plain) is not null)
            return null;
        return plain == typeof(ProblemBody) ? "Problem" : OpenApiOptions.CreateDefaultSchemaReferenceId(type);
    }

    public static Task DescribeAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken ct)
    {
        var type = context.JsonTypeInfo.Type;
        // A list of values: without a form of their own, the generator leaves them out.
        if (context.JsonTypeInfo is { Kind: JsonTypeInfoKind.Enumerable, ElementType: { } element }
            && schema.Items is null && new OpenApiSchema() is var item && Describe(item, element))
            schema.Items = item;
        var patched = PatchedType(type);
        if (patched is not null && ListedType(patched) is { } listed && new OpenApiSchema() is var one && Describe(one, listed))
        {
            (schema.Type, schema.Items) = (JsonSchemaType.Array | JsonSchemaType.Null, one);
            return Task.CompletedTask;
        }
        if (patched is not null && IsComponent(patched))
            (schema.Metadata ??= new Dictionary<string, object>())[Patched] = Nullable.GetUnderlyingType(patched) ?? patched;
        else if (!Describe(schema, patched ?? type))
            return Task.CompletedTask;
        // The type's own words, where the member has none.
        if (patched is not null && schema.Description?.StartsWith("A member of a JSON Merge Patch", StringComparison.Ordinal) is true)
            schema.Description = null;
        if ((patched is not null && !IsNeverNull(context)) || Nullable.GetUnderlyingType(type) is not null
            || context.JsonPropertyInfo is { IsGetNullable: true, IsSetNullable: true })
            schema.Type |= JsonSchemaType.Null;
        return Task.CompletedTask;
    }

    /// <summary>
    /// Says in full that the host's own objects may have any member: some generators take a bare object for one without members.
    /// </summary>
    public static Task OpenObjectsAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken ct)
    {
        var members = document.Components!.Schemas!.Values.SelectMany(schema => schema.Properties?.Values ?? []).OfType<OpenApiSchema>();
        foreach (var member in members.Where(member => member.Type?.HasFlag(JsonSchemaType.Object) is true))
        {
            if (member.Properties is null or { Count: 0 })
                member.AdditionalProperties ??= new OpenApiSchema();
        }
        return Task.CompletedTask;
    }

    /// <summary>Has the members of patches whose values are components refer to them.</summary>
    public static async Task ReferFromPatchesAsync(
        OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken ct)
    {
        var left = new Queue<IOpenApiSchema>(document.Components!.Schemas!.Values);
        while (left.TryDequeue(out var schema))
        {
            foreach (var member in (schema.Properties ?? new Dictionary<string, IOpenApiSchema>()).Values.OfType<OpenApiSchema>())
            {
                if (member.Metadata?.Remove(Patched, out var patched) is not true)
                    continue;
                var id = ((Type)patched!).Name;
                if (!document.Components.Schemas.ContainsKey(id))
                {
                    var component = await context.GetOrCreateSchemaAsync((Type)patched, cancellationToken: ct);
                    document.AddComponent<IOpenApiSchema>(id, component);
                    left.Enqueue(component);
                }
                member.Type = null;
                member.OneOf = [new OpenApiSchema { Type = JsonSchemaType.Null }, new OpenApiSchemaReference(id, document)];
            }
        }
    }

    /// <summary>
    /// Takes null from the words that are a component of their own: who refers to them says whether null may stand there, and a null that
    /// both allow would be none that one alone of them allows.
    /// </summary>
    public static Task LeaveNullToReferencesAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken ct)
    {
        foreach (var schema in document.Components!.Schemas!.Values.OfType<OpenApiSchema>().Where(schema => schema.Enum is { Count: > 0 }))
        {
            schema.Type &= ~JsonSchemaType.Null;
            schema.Enum = [.. schema.Enum!.Where(word => word is not null && word.GetValueKind() is not JsonValueKind.Null)];
        }
        return Task.CompletedTask;
    }

    /// <summary>Describes a value; false for what the generator understands by itself.</summary>
    public static bool Describe(OpenApiSchema schema, Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (Shapes.TryGetValue(plain, out var shape))
            shape(schema);
        else if (plain == typeof(bool))
            schema.Type = JsonSchemaType.Boolean;
        else if (plain == typeof(int))
            (schema.Type, schema.Format) = (JsonSchemaType.Integer, "int32");
        else if (plain.IsEnum)
            schema.Type = JsonSchemaType.String;
        else if (WordsOf(plain) is { } words)
            (schema.Type, schema.Properties, schema.Required, schema.Enum) = (JsonSchemaType.String, null, null, words);
        else
            return false;
        return true;
    }

    // The compiler leaves the attribute at the setter's value.
    private static bool IsNeverNull(OpenApiSchemaTransformerContext context) =>
        context.JsonPropertyInfo?.AttributeProvider is PropertyInfo { SetMethod: { } setter }
        && setter.GetParameters()[0].IsDefined(typeof(DisallowNullAttribute), inherit: false);

    // Enumerations and objects.
    private static bool IsComponent(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        return plain.IsEnum || (plain.IsClass && plain != typeof(string));
    }

    private static Type? PatchedType(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Optional<>) ? type.GenericTypeArguments[0] : null;

    private static Type? ListedType(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GenericTypeArguments[0] : null;

    private static List<JsonNode>? WordsOf(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(EnumName<>)
        ? [.. ((string[])type.GetProperty(nameof(EnumName<>.Names))!.GetValue(null)!).Select(word => JsonValue.Create(word))]
        : null;

    private static void Text(OpenApiSchema schema, string example, string? format = null, string? pattern = null)
    {
        schema.Type = JsonSchemaType.String;
        schema.Format = format;
        schema.Pattern = pattern;
        schema.Examples = [example];
    }
}
