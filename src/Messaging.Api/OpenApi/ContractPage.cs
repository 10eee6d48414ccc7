namespace Messaging.Api.OpenApi;

/// <summary>The contract for people, at <c>/docs</c>.</summary>
public static class ContractPage
{
    public static void UseContractPage(this IApplicationBuilder app) => app.UseSwaggerUI(page =>
    {
        page.RoutePrefix = "docs";
        page.DocumentTitle = "Messaging API";
        page.SwaggerEndpoint(OpenApiModule.Path, "Messaging API, v1");
    });
}
