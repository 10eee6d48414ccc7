using System.Collections.ObjectModel;
using Messaging.Application.Common;

namespace Messaging.Api.Configuration;

/// <summary>A capability as the API has it.</summary>
public abstract class ApiModule : Module
{
    /// <summary>What its routes are tagged with in the OpenAPI document, and what of each is said there.</summary>
    public virtual IReadOnlyDictionary<string, string> Tags => ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Adds what asks about a call between who calls and whether that one may.</summary>
    public virtual void UseBeforeAuthorization(IApplicationBuilder app)
    {
    }

    /// <summary>Adds what asks about a call that its caller may make.</summary>
    public virtual void UseAfterAuthorization(IApplicationBuilder app)
    {
    }

    /// <summary>Adds its routes.</summary>
    public virtual void Map(IEndpointRouteBuilder routes)
    {
    }
}
