using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Common;

/// <summary>A capability as one project has it: what it registers. Found by scanning, so that nothing else names it.</summary>
public abstract class Module
{
    /// <summary>Registers what others ask for. Nothing is read or opened before its first use.</summary>
    public virtual void AddServices(IServiceCollection services)
    {
    }

    /// <summary>Registers its work behind the API, in the order of starting; it stops the other way round.</summary>
    public virtual void AddWorkers(IServiceCollection services)
    {
    }

    /// <summary>The modules of some projects, in the order of the projects and of the modules' names.</summary>
    public static IReadOnlyList<Module> FindIn(params IEnumerable<Assembly> projects) =>
        [.. Scan.For<Module>(projects).Select(type => (Module)Activator.CreateInstance(type)!)];
}
