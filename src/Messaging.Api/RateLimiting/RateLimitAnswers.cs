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
        context.Tell(new BudgetState(state.Name, state.Quota, state.WindowSeconds, state.Remaining, state.ResetSeconds));
        if (!state.Allowed)
            throw new RuleException(state.Problem);
    }

    /// <summary>Tells of a budget that is kept elsewhere.</summary>
    public static void Tell(this HttpContext context, BudgetState budget)
    {
        var headers = context.Response.Headers;
        headers["RateLimit-Policy"] = Joined($"\"{budget.Name}\";q={budget.Quota};w={budget.WindowSeconds}", headers["RateLimit-Policy"]);
        headers["RateLimit"] = Joined($"\"{budget.Name}\";r={budget.Remaining};t={budget.ResetSeconds}", headers["RateLimit"]);
    }

    private static string Joined(FormattableString first, StringValues others) =>
        first.ToString(CultureInfo.InvariantCulture) + (StringValues.IsNullOrEmpty(others) ? "" : $", {others}");
}
