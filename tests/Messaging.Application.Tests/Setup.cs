using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

[assembly: Parallelizable(ParallelScope.Fixtures)]

namespace Messaging.Application.Tests;

[SetUpFixture]
public sealed class Setup
{
    [OneTimeTearDown]
    public Task StopAsync() => TestDatabaseServer.StopAsync();
}

/// <summary>A fixture with the application over a clean database.</summary>
public abstract class SliceFixture
{
    protected Slices Slices { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartSlicesAsync() => Slices = await Slices.StartAsync(Add);

    [OneTimeTearDown]
    public async Task StopSlicesAsync() => await Slices.DisposeAsync();

    /// <summary>Adds what the fixture's requests need beside the application.</summary>
    protected virtual void Add(IServiceCollection services)
    {
    }

    /// <summary>The code of the refusal that the request meets.</summary>
    protected static async Task<string> RefusalAsync(Func<Task> request) => (await ProblemAsync(request)).Code;

    /// <summary>The code of the refusal that the request meets, if any; empty for one that went through.</summary>
    protected static async Task<string> CodeAsync(Func<Task> request)
    {
        try
        {
            await request();
            return "";
        }
        catch (Domain.Common.RuleException refused)
        {
            return refused.Problem.Code;
        }
    }

    protected static async Task<Domain.Common.Problem> ProblemAsync(Func<Task> request) =>
        (await Assert.ThrowsAsync<Domain.Common.RuleException>(request))!.Problem;
}
