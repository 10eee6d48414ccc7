using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Posts;

/// <summary>The sending of what hosts post.</summary>
public sealed class PostsModule : Module
{
    public override void AddWorkers(IServiceCollection services) => services.AddHostedService<PostWorker>();
}
