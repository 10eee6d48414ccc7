using System.Globalization;
using Messaging.Api.Security;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Microsoft.Extensions.Primitives;

namespace Messaging.Api.RateLimiting;

/// <summary>Tells callers, in the words of the IETF draft, what is left to them.</summary>
public static class RateLimitAnswers
{
    /// <summary>Takes one for the key and tells in the answer's headers what is left.</summary>
    /// <exception cref="RuleException">None was left.</exception>
    public static async ValueTask TakeAsync(this HttpContext context, RateLimitBudget budget, string key)
    {
        if (budget.IsEnabled)
            context.Tell(await budget.TakeAsync(key, context.RequestAborted));
    }

    /// <summary>The same for who cannot wait for the other nodes' word.</summary>
    /// <exception cref="RuleException">None was left to this node.</exception>
    public static void Take(this HttpContext context, RateLimitBudget budget, string key)
    {
        if (budget.IsEnabled)
            context.Tell(budget.Take(key));
    }

    /// <summary>Takes from the budget of sends, once a request: an endpoint may run again where another one was faster.</summary>
    /// <exception cref="RuleException">None was left.</exception>
    public static ValueTask TakeSendAsync(this HttpContext context, RateLimits limits) =>
        context.Items.TryAdd(typeof(SendLimit), value: null)
            ? context.TakeAsync(limits.Send, context.User.BudgetKey() ?? context.AddressKey())
            : ValueTask.CompletedTask;

    /// <summary>The same for who cannot wait for the other nodes' word.</summary>
    /// <exception cref="RuleException">None was left to this node.</exception>
    public static void TakeSend(this HttpContext context, RateLimits limits)
    {
        if (context.Items.TryAdd(typeof(SendLimit), value: null))
            context.Take(limits.Send, context.User.BudgetKey() ?? context.AddressKey());
    }

    /// <summary>Takes from the budget of mentions of many if these are of many.</summary>
    /// <exception cref="RuleException">None was left.</exception>
    public static ValueTask TakeMentionsAsync(this HttpContext context, RateLimits limits, IEnumerable<UserId>? mentions) =>
        mentions is not null && MentionRules.AreMany(mentions)
            ? context.TakeAsync(limits.ManyMentions, context.User.BudgetKey() ?? context.AddressKey())
            : ValueTask.CompletedTask;

    /// <summary>Tells what is left; of several budgets the narrower, which is asked later, stands first.</summary>
    public static void Tell(this HttpContext context, BudgetState budget)
    {
        var headers = context.Response.Headers;
        headers["RateLimit-Policy"] = Joined($"\"{budget.Name}\";q={budget.Quota};w={budget.WindowSeconds}", headers["RateLimit-Policy"]);
        headers["RateLimit"] = Joined($"\"{budget.Name}\";r={budget.Remaining};t={budget.ResetSeconds}", headers["RateLimit"]);
    }

    private static void Tell(this HttpContext context, RateLimitState state)
    {
        // The refusal's answer tells of the budget itself.
        if (!state.Allowed)
            throw new RuleException(state.Problem);
        context.Tell(state.Budget);
    }

    private static string Joined(FormattableString first, StringValues others) =>
        first.ToString(CultureInfo.InvariantCulture) + (StringValues.IsNullOrEmpty(others) ? "" : $", {others}");
}
