using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Messaging.Api.OpenApi;

/// <summary>The contract for machines at <c>/openapi/v1.json</c>, and for people at <c>/docs</c>.</summary>
public static class OpenApiSetup
{
    public const string Document = "v1";

    public static IServiceCollection AddContract(this IServiceCollection services) =>
        services.AddSingleton<ServedContract>().AddOpenApi(Document, Describe);

    public static void MapContract(this WebApplication app)
    {
        app.MapGet($"/openapi/{Document}.json", OpenAsync).AllowAnonymous().ExcludeFromDescription();
        app.UseSwaggerUI(page =>
        {
            page.RoutePrefix = "docs";
            page.DocumentTitle = "Messaging API";
            page.SwaggerEndpoint($"/openapi/{Document}.json", "Messaging API, v1");
        });
    }

    private static void Describe(OpenApiOptions options)
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.CreateSchemaReferenceId = SchemaShapes.ReferenceId;
        options.AddSchemaTransformer(SchemaShapes.DescribeAsync);
        options.AddOperationTransformer(OperationDetails.DescribeAsync);
        options.AddDocumentTransformer(DocumentDetails.DescribeAsync);
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
