using System.Reflection;
using Messaging.Application.Retention;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Messaging.Application.Common;

/// <summary>A capability as one project has it: what it registers and declares. Found by scanning, so that nothing else names it.</summary>
public abstract class Module
{
    /// <summary>The tables that are its own: no other module writes them unless it declares that.</summary>
    public virtual IReadOnlyList<string> Tables => [];

    /// <summary>The tables of other modules that it writes, too.</summary>
    public virtual IReadOnlyList<string> AlsoWrites => [];

    /// <summary>What is kept for a time only.</summary>
    public virtual IReadOnlyList<OldRows> OldRows => [];

    /// <summary>Statements that take away what belongs to a conversation <c>$1</c> that was deleted for everyone.</summary>
    public virtual IReadOnlyList<string> Purges => [];

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

/// <summary>Rows that are kept for a time only, and forgotten once an hour.</summary>
/// <param name="Sql">Deletes at most <c>@Limit</c> of those that were over before <c>@Before</c>, where it asks for that.</param>
/// <param name="Retention">How long they are kept after they were over.</param>
public sealed record OldRows(string Sql, Func<RetentionSettings, Duration> Retention)
{
    /// <summary>Kept for a time that no operator sets.</summary>
    public OldRows(string sql, Duration retention)
        : this(sql, _ => retention)
    {
    }
}
