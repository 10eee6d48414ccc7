using Messaging.Domain.Common;

namespace Messaging.Api.Errors;

/// <summary>Keeps what cannot be a user id from matching <c>{userId:userid}</c>: a malformed id in a path is 404.</summary>
public sealed class UserIdRouteConstraint : IRouteConstraint
{
    public bool Match(
        HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        UserId.IsValid(values[routeKey] as string);
}
