using Messaging.Api.Configuration;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Messaging.Api.OpenApi;

/// <summary>The contract for machines at <c>/openapi/v1.json</c>, and for people at <c>/docs</c>.</summary>
public sealed class OpenApiModule : ApiModule
{
    public const string Document = "v1";

    /// <summary>Where the document is.</summary>
    public const string Path = $"/openapi/{Document}.json";

    public override void AddServices(IServiceCollection services) => services.AddSingleton<ServedContract>().AddOpenApi(Document, Describe);

    public override void UseAfterAuthorization(IApplicationBuilder app) => app.UseContractPage();

    public override void Map(IEndpointRouteBuilder routes) => routes.MapGet(Path, OpenAsync).AllowAnonymous().ExcludeFromDescription();

    private static void Describe(OpenApiOptions options)
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.CreateSchemaReferenceId = SchemaShapes.ReferenceId;
        options.AddSchemaTransformer(SchemaShapes.DescribeAsync);
        options.AddOperationTransformer(OperationDetails.DescribeAsync);
        options.AddDocumentTransformer(DocumentDetails.DescribeAsync);
        options.AddDocumentTransformer(SchemaShapes.ReferFromPatchesAsync);
        options.AddDocumentTransformer(SchemaShapes.OpenObjectsAsync);
        options.AddDocumentTransformer(SchemaShapes.LeaveNullToReferencesAsync);
        options.AddDocumentTransformer(ProblemResponses.DescribeAsync);
        options.AddDocumentTransformer(Examples.DescribeAsync);
    }

    private static async Task<IResult> OpenAsync(HttpContext context, ServedContract contract)
    {
        var (json, tag) = await contract.GetAsync();
        // May be kept, but not used without asking whether it is still the same.
        context.Response.Headers.CacheControl = "no-cache";
        return TypedResults.Bytes(json, "application/json;charset=utf-8", entityTag: tag);
    }
}
