using System.Globalization;
using Messaging.Domain.Common;

namespace Messaging.Api.Users;

/// <summary><c>{userId:userid}</c>: a path with anything else in this place names nothing, which is 404 and not 400.</summary>
internal sealed class UserIdConstraint : IRouteConstraint
{
    public const string Name = "userid";

    public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        values.TryGetValue(routeKey, out var value) && UserId.IsValid(Convert.ToString(value, CultureInfo.InvariantCulture));
}
