using System.Globalization;
using Messaging.Domain.Common;
using Microsoft.Extensions.Primitives;

namespace Messaging.Api.RateLimiting;

/// <summary>Tells callers, in the words of the IETF draft, what is left to them.</summary>
public static class RateLimitAnswers
{
    /// <summary>Takes one for the key and tells in the answer's headers what is left.</summary>
    /// <exception cref="RuleException">None was left.</exception>
    public static void Take(this HttpContext context, RateLimitBudget budget, string key)
    {
        if (budget.IsEnabled)
            context.Tell(budget.Take(key));
    }

    /// <summary>Tells the state; of several budgets the narrower, which is asked later, stands first.</summary>
    /// <exception cref="RuleException">It allows nothing.</exception>
    public static void Tell(this HttpContext context, RateLimitState state)
    {
        var headers = context.Response.Headers;
        headers["RateLimit-Policy"] = Joined($"\"{state.Name}\";q={state.Quota};w={state.WindowSeconds}", headers["RateLimit-Policy"]);
        headers["RateLimit"] = Joined($"\"{state.Name}\";r={state.Remaining};t={state.ResetSeconds}", headers["RateLimit"]);
        if (!state.Allowed)
            throw new RuleException(state.Problem);
    }

    private static string Joined(FormattableString first, StringValues others) =>
        first.ToString(CultureInfo.InvariantCulture) + (StringValues.IsNullOrEmpty(others) ? "" : $", {others}");
}
