using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Api.Errors;

public static class KnownParameters
{
    /// <summary>
    /// Refuses any other parameter in the query: without its cursor, which is optional, a call begins elsewhere, and a misspelled one would
    /// go unnoticed.
    /// </summary>
    public static RouteHandlerBuilder TakesOnly(this RouteHandlerBuilder builder, params string[] names) =>
        builder.AddEndpointFilter((invocation, next) =>
        {
            var unknown = invocation.HttpContext.Request.Query.Keys
                .FirstOrDefault(name => !names.Contains(name, StringComparer.OrdinalIgnoreCase));
            if (unknown is not null)
                throw CommonErrors.Invalid(MemberPath.Of([unknown]), $"There is no such parameter. Known: {string.Join(", ", names)}.");
            return next(invocation);
        });
}
