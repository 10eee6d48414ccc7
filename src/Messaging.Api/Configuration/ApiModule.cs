using Messaging.Application.Common;

namespace Messaging.Api.Configuration;

/// <summary>A capability as the API has it.</summary>
public abstract class ApiModule : Module
{
    /// <summary>Adds its routes.</summary>
    public virtual void Map(IEndpointRouteBuilder routes)
    {
    }
}
