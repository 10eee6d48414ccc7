using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Search;

/// <summary>Searches, which run in a lane of their own.</summary>
public sealed class SearchModule : Module
{
    public override void AddServices(IServiceCollection services) => services.AddSingleton<SearchLane>();
}
