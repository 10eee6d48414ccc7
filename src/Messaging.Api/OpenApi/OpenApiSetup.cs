using Microsoft.OpenApi;

namespace Messaging.Api.OpenApi;

/// <summary>The contract for machines at <c>/openapi/v1.json</c>, and for people at <c>/docs</c>.</summary>
public static class OpenApiSetup
{
    public const string Document = "v1";

    public static IServiceCollection AddContract(this IServiceCollection services) => services.AddOpenApi(Document, options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.CreateSchemaReferenceId = SchemaShapes.ReferenceId;
        options.AddSchemaTransformer(SchemaShapes.DescribeAsync);
        options.AddOperationTransformer(OperationDetails.DescribeAsync);
        options.AddDocumentTransformer(DocumentDetails.DescribeAsync);
        options.AddDocumentTransformer(SchemaShapes.LeaveNullToReferencesAsync);
        options.AddDocumentTransformer(ProblemResponses.DescribeAsync);
        options.AddDocumentTransformer(Examples.DescribeAsync);
    });

    public static void MapContract(this WebApplication app)
    {
        app.MapOpenApi().AllowAnonymous();
        app.UseSwaggerUI(page =>
        {
            page.RoutePrefix = "docs";
            page.DocumentTitle = "Messaging API";
            page.SwaggerEndpoint($"/openapi/{Document}.json", "Messaging API, v1");
        });
    }
}
