using System.Security.Claims;
using Messaging.Api.Errors;
using Messaging.Application.ServiceKeys;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Authorization;

namespace Messaging.Api.Auth;

/// <summary>What an endpoint asks of a credential; also among its metadata, for whoever describes it.</summary>
/// <param name="Scopes">What a service key needs one of.</param>
/// <param name="ServiceOnly">Whether users are refused.</param>
public sealed record ScopeRequirement(IReadOnlyList<Scope> Scopes, bool ServiceOnly) : IAuthorizationRequirement;

/// <summary>Conventions by which endpoints say who may call them.</summary>
public static class ScopeConventions
{
    /// <summary>Users may call, under their own rules; service keys, be it as a user, need one of the scopes.</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, params IReadOnlyList<Scope> scopes)
        where TBuilder : IEndpointConventionBuilder => builder.Require(new ScopeRequirement(scopes, ServiceOnly: false));

    /// <summary>For what is asked within a call: a service key, be it as a user, needs one of the scopes.</summary>
    public static void RequireScope(this ClaimsPrincipal caller, params IReadOnlyList<Scope> scopes)
    {
        if (caller.ServiceKeyId() is null || scopes.Any(caller.HasScope))
            return;
        var names = string.Join(" or ", scopes.Select(scope => $"'{ScopeNames.NameOf(scope)}'"));
        throw new RuleException(new Problem(EdgeCodes.ScopeMissing, $"The service key lacks the scope {names}."));
    }

    /// <summary>Only the service itself may call, with a key that has one of the scopes.</summary>
    public static TBuilder ServiceOnly<TBuilder>(this TBuilder builder, params IReadOnlyList<Scope> scopes)
        where TBuilder : IEndpointConventionBuilder => builder.Require(new ScopeRequirement(scopes, ServiceOnly: true));

    private static TBuilder Require<TBuilder>(this TBuilder builder, ScopeRequirement requirement)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(requirement)
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().AddRequirements(requirement));
}

internal sealed class ScopeHandler : AuthorizationHandler<ScopeRequirement>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, ScopeRequirement requirement)
    {
        var caller = context.User;
        // Without a credential another requirement fails, and the answer is 401.
        if (caller.Identity?.IsAuthenticated != true)
            return Task.CompletedTask;
        caller.RequireScope(requirement.Scopes);
        if (requirement.ServiceOnly && !caller.Actor().IsService)
            throw new RuleException(new Problem(ProblemCodes.NotAllowed, "Only a service key that acts as no user may do this."));
        context.Succeed(requirement);
        return Task.CompletedTask;
    }
}
