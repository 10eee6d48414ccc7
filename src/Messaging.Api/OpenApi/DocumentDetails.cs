using Messaging.Api.Configuration;
using Messaging.Api.Idempotency;
using Messaging.Application.Common;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Messaging.Api.OpenApi;

/// <summary>What stands once for the whole contract: its name, its credentials, headers that many calls share.</summary>
public static class DocumentDetails
{
    public const string IdempotencyKey = "IdempotencyKey";
    public const string IfMatch = "IfMatch";

    public static readonly IReadOnlyList<string> RateLimitHeaders = ["RateLimit", "RateLimit-Policy"];

    private const string Conventions =
        """
        A messaging backend beside your own product: conversations, messages, exact unread counts, events.

        Bodies are JSON in UTF-8 and camelCase; unknown and duplicate members are refused. Times are RFC 3339 in UTC. Lists answer
        `items` and `nextCursor`, which is null on the last page. Every refusal is `application/problem+json` with a stable `code`; a 400
        names each wrong member by a JSON pointer in `errors`.

        A `POST` with an `Idempotency-Key` takes effect once, however often it is sent; a message carries a `clientMessageId` instead.
        """;

    public static Task DescribeAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken ct)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Messaging",
            Version = "1",
            Description = Conventions,
            License = new OpenApiLicense { Name = "MIT", Identifier = "MIT" },
        };
        // Where the document was read from; the address is the operator's to choose.
        document.Servers = [new OpenApiServer { Url = "/", Description = "This service" }];
        document.Tags = context.ApplicationServices.GetServices<Module>().OfType<ApiModule>().SelectMany(module => module.Tags)
            .OrderBy(tag => tag.Key, StringComparer.Ordinal)
            .Select(tag => new OpenApiTag { Name = tag.Key, Description = tag.Value })
            .ToHashSet();
        // Whichever module adds them first: a change of the contract shows as one.
        var paths = document.Paths.OrderBy(path => path.Key, StringComparer.Ordinal).ToList();
        document.Paths = [];
        paths.ForEach(path => document.Paths.Add(path.Key, path.Value));
        AddCredentials(document);
        AddHeaders(document);
        return Task.CompletedTask;
    }

    private static void AddCredentials(OpenApiDocument document)
    {
        document.AddComponent<IOpenApiSecurityScheme>(OperationDetails.UserToken, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            BearerFormat = "JWT",
            Description = "A user's token: `sub` is the user's id, `exp` is required.",
        });
        document.AddComponent<IOpenApiSecurityScheme>(OperationDetails.ServiceKey, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Header,
            Name = "X-Api-Key",
            Description =
                "A service key, `msk_<id>_<secret>`, with the scope that the call names. With an `X-User-Id` header it acts as that user.",
        });
    }

    private static void AddHeaders(OpenApiDocument document)
    {
        document.AddComponent<IOpenApiParameter>(IdempotencyKey, new OpenApiParameter
        {
            Name = IdempotencyConventions.Header,
            In = ParameterLocation.Header,
            Description = "Chosen by the client; a repeat with the same key and content within 48 h gets the first answer again.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String, Pattern = "^[ -~]{1,255}$" },
            Example = "order-4711-opened",
        });
        document.AddComponent<IOpenApiParameter>(IfMatch, new OpenApiParameter
        {
            Name = "If-Match",
            In = ParameterLocation.Header,
            Description = "The `ETag` of the version that was read, quoted or bare, a list of ETags, or `*`. If the version has changed "
                + "since, nothing is changed and the answer is 412.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            Example = "\"3\"",
        });
        Header(document, "RateLimit", "What is left of the quotas: calls, and seconds until a quota is full again.",
            "\"requests\";r=1180;t=42");
        Header(document, "RateLimit-Policy", "The quotas that apply: calls and window in seconds.", "\"requests\";q=1200;w=60");
        Header(document, "Retry-After", "Seconds after which a repeat may succeed.", "42");
        Header(document, "Location", "Where to read what was created.", "/v1/conversations/0195e3a2-7c3f-7b1e-9a55-3f0a4d1c2b6e");
        Header(document, "ETag", "The version of the resource, for `If-Match`.", "\"3\"");
        Header(document, IdempotencyConventions.ReplayedHeader, "`true` when this is the answer to an earlier request with the same key.",
            "true");
    }

    private static void Header(OpenApiDocument document, string name, string description, string example) =>
        document.AddComponent<IOpenApiHeader>(name, new OpenApiHeader
        {
            Description = description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            Example = example,
        });
}
