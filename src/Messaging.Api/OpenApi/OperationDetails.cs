using System.Globalization;
using Messaging.Api.Auth;
using Messaging.Api.Idempotency;
using Messaging.Application.ServiceKeys;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Messaging.Api.OpenApi;

/// <summary>Tells of each call what middleware adds to it: who may call, what may be refused, which headers come and go.</summary>
public static class OperationDetails
{
    public const string UserToken = "userToken";
    public const string ServiceKey = "serviceKey";

    private static readonly HashSet<string> Versioned = ["ConversationView", "MessageView"];

    public static Task DescribeAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken ct)
    {
        var document = context.Document!;
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var isPublic = !metadata.OfType<IAuthorizeData>().Any() && !metadata.OfType<AuthorizationPolicy>().Any();
        var isApi = context.Description.RelativePath!.StartsWith("v1/", StringComparison.Ordinal);
        var takesKey = context.Description.HttpMethod == "POST" && isApi && !metadata.OfType<NoIdempotencyKey>().Any();

        operation.Security = isPublic ? [] : Credentials(metadata.OfType<ScopeRequirement>().FirstOrDefault(), document);
        foreach (var parameter in operation.Parameters ?? [])
            Describe(parameter, context.Description.ParameterDescriptions);
        if (takesKey)
            (operation.Parameters ??= []).Add(new OpenApiParameterReference(DocumentDetails.IdempotencyKey, document));
        if (context.Description.HttpMethod == "PATCH" && operation.RequestBody?.Content is { } content && content.TryGetValue("application/json", out var body))
            content["application/merge-patch+json"] = body;

        Refuse(operation, document, isPublic, isApi, takesKey);
        if (isApi)
            TellHeaders(operation, document, takesKey);
        return Task.CompletedTask;
    }

    private static List<OpenApiSecurityRequirement> Credentials(ScopeRequirement? scope, OpenApiDocument document)
    {
        List<string> scopes = scope is null ? [] : [.. scope.Scopes.Select(ScopeNames.NameOf)];
        var byKey = new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(ServiceKey, document)] = scopes };
        return scope is { ServiceOnly: true }
            ? [byKey]
            : [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(UserToken, document)] = [] }, byKey];
    }

    // The generator takes every parameter that is parsed from text for text; and one bound holds for all lists.
    private static void Describe(IOpenApiParameter parameter, IList<ApiParameterDescription> descriptions)
    {
        if (parameter is not OpenApiParameter { Schema: OpenApiSchema schema })
            return;
        if (descriptions.FirstOrDefault(description => description.Name == parameter.Name)?.ParameterDescriptor?.ParameterType is { } type)
            SchemaShapes.Describe(schema, type);
        if (parameter is { Name: "limit", In: ParameterLocation.Query })
        {
            schema.Minimum = "1";
            schema.Maximum = "100";
        }
    }

    private static void Refuse(OpenApiOperation operation, OpenApiDocument document, bool isPublic, bool isApi, bool takesKey)
    {
        var responses = operation.Responses ??= [];
        var statuses = responses.Keys.Where(status => status[0] is '4' or '5').Select(status => int.Parse(status, CultureInfo.InvariantCulture)).ToHashSet();
        if (operation.Parameters is { Count: > 0 } || operation.RequestBody is not null)
            statuses.Add(400);
        // A page of a foreign origin is refused even what is public.
        statuses.Add(403);
        if (!isPublic)
            statuses.Add(401);
        if (operation.Parameters?.Any(parameter => parameter.In is ParameterLocation.Path) == true)
            statuses.Add(404);
        if (operation.RequestBody is not null)
            statuses.UnionWith([413, 415]);
        if (takesKey)
            statuses.UnionWith([409, 422]);
        if (isApi)
            statuses.UnionWith([429, 503]);
        foreach (var status in statuses.Order())
            responses[status.ToString(CultureInfo.InvariantCulture)] = new OpenApiResponseReference(ProblemResponses.Name(status), document);
        responses["default"] = new OpenApiResponseReference(ProblemResponses.Any, document);
    }

    private static void TellHeaders(OpenApiOperation operation, OpenApiDocument document, bool takesKey)
    {
        foreach (var (status, response) in operation.Responses!.Where(pair => pair.Key[0] is '2').Select(pair => (pair.Key, pair.Value as OpenApiResponse)))
        {
            var headers = response!.Headers ??= new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal);
            foreach (var name in DocumentDetails.RateLimitHeaders)
                headers[name] = new OpenApiHeaderReference(name, document);
            if (status == "201")
                headers["Location"] = new OpenApiHeaderReference("Location", document);
            if (response.Content?.Values.Any(body => body.Schema is OpenApiSchemaReference { Reference.Id: { } id } && Versioned.Contains(id)) == true)
                headers["ETag"] = new OpenApiHeaderReference("ETag", document);
            if (takesKey)
                headers[IdempotencySetup.ReplayedHeader] = new OpenApiHeaderReference(IdempotencySetup.ReplayedHeader, document);
        }
    }
}
