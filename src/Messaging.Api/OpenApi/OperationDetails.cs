using System.Globalization;
using Messaging.Api.Auth;
using Messaging.Api.Errors;
using Messaging.Api.Idempotency;
using Messaging.Application.ServiceKeys;
using Messaging.Domain.Common;
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

    /// <summary>Stands for the type that a file has itself, since an endpoint cannot name a range of types.</summary>
    public const string AnyFile = "application/octet-stream";

    private static readonly HashSet<string> Versioned =
        ["ConversationView", "MessageView", "WebhookView", "WebhookStatus", "WebhookWithSecret"];

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
        var rules = metadata.OfType<Refusals>().SelectMany(refusals => refusals.Codes).ToHashSet(StringComparer.Ordinal);
        if (rules.Contains(ProblemCodes.VersionMismatch))
            (operation.Parameters ??= []).Add(new OpenApiParameterReference(DocumentDetails.IfMatch, document));
        if (context.Description.HttpMethod == "PATCH" && operation.RequestBody?.Content is { } content
            && content.TryGetValue("application/json", out var body))
            content["application/merge-patch+json"] = body;

        foreach (var contents in operation.Responses!.Values.Select(response => response.Content))
        {
            if (contents?.Remove(AnyFile, out var file) == true)
                contents["*/*"] = file;
        }
        Refuse(operation, document, [.. ImpliedCodes(operation, isPublic, isApi, takesKey).Union(rules, StringComparer.Ordinal)]);
        TellHeaders(operation, document, takesKey, hasAddress: !metadata.OfType<NoAddress>().Any());
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

    private static HashSet<string> ImpliedCodes(OpenApiOperation operation, bool isPublic, bool isApi, bool takesKey)
    {
        // A page of a foreign origin is refused even what is public.
        var codes = new HashSet<string>(StringComparer.Ordinal) { ProblemCodes.NotAllowed, ProblemCodes.RateLimited };
        if (operation.Parameters is { Count: > 0 } || operation.RequestBody is not null)
            codes.Add(ProblemCodes.InvalidRequest);
        // Two credentials at once, or an X-User-Id that is nobody's, are not a valid request either.
        if (!isPublic)
            codes.UnionWith([ProblemCodes.InvalidRequest, ProblemCodes.Unauthenticated, EdgeCodes.ScopeMissing]);
        if (operation.Parameters?.Any(parameter => parameter.In is ParameterLocation.Path) == true)
            codes.Add(ProblemCodes.NotFound);
        if (operation.RequestBody is not null)
            codes.UnionWith([ProblemCodes.TooLarge, ProblemCodes.UnsupportedMedia]);
        if (takesKey)
            codes.UnionWith([EdgeCodes.IdempotencyInProgress, ProblemCodes.IdempotencyKeyReused]);
        if (isApi)
            codes.Add(ProblemCodes.Unavailable);
        return codes;
    }

    private static void Refuse(OpenApiOperation operation, OpenApiDocument document, IEnumerable<string> codes)
    {
        var responses = operation.Responses ??= [];
        foreach (var kinds in codes.Select(ProblemKinds.Of).GroupBy(kind => kind.Status).OrderBy(kinds => kinds.Key))
            responses[kinds.Key.ToString(CultureInfo.InvariantCulture)] = new OpenApiResponseReference(
                ProblemResponses.Name(kinds), document);
        responses["default"] = new OpenApiResponseReference(ProblemResponses.Any, document);
    }

    private static void TellHeaders(OpenApiOperation operation, OpenApiDocument document, bool takesKey, bool hasAddress)
    {
        foreach (var (status, response) in operation.Responses!.Where(pair => pair.Key[0] is '2')
            .Select(pair => (pair.Key, pair.Value as OpenApiResponse)))
        {
            var headers = response!.Headers ??= new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal);
            foreach (var name in DocumentDetails.RateLimitHeaders)
                headers[name] = new OpenApiHeaderReference(name, document);
            if (status == "201" && hasAddress)
                headers["Location"] = new OpenApiHeaderReference("Location", document);
            if (response.Content?.Values.Any(
                body => body.Schema is OpenApiSchemaReference { Reference.Id: { } id } && Versioned.Contains(id)) == true)
                headers["ETag"] = new OpenApiHeaderReference("ETag", document);
            if (takesKey)
                headers[IdempotencyConventions.ReplayedHeader] = new OpenApiHeaderReference(
                    IdempotencyConventions.ReplayedHeader, document);
        }
    }
}
