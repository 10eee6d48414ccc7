using Dapper;
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

    protected const string LockSql = "SELECT id FROM conversations WHERE id = @Id FOR NO KEY UPDATE";

    /// <summary>
    /// Does something while another transaction holds rows of a conversation, which ends afterwards: what gathers is one batch then.
    /// </summary>
    protected async Task<T> HoldingAsync<T>(Domain.Common.ConversationId id, string sql, Func<Task<T>> meanwhile)
    {
        await using var connection = await Slices.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync(sql, new { Id = id.Value }, transaction);
        var result = await meanwhile();
        await transaction.CommitAsync();
        return result;
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
