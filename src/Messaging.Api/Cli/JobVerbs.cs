using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Jobs;

namespace Messaging.Api.Cli;

internal static class JobVerbs
{
    public static Task ListAsync(VerbContext session, IServiceProvider services)
    {
        session.Arguments.RefuseTheRest();
        var jobs = services.GetServices<Job>().Select(job => new { job.Name, job.Schedule }).ToList();
        return session.AnswerAsync(new { items = jobs }, jobs.Select(job => $"{job.Name}  {job.Schedule}"));
    }

    public static async Task RunAsync(VerbContext session, IServiceProvider services, string name)
    {
        session.Arguments.RefuseTheRest();
        var jobs = services.GetServices<Job>().ToList();
        var job = jobs.Find(job => job.Name == name)
            ?? throw new UsageException($"There is no job '{name}'; there are {string.Join(", ", jobs.Select(job => job.Name))}.");
        // What is old is so by the database's time.
        await services.GetRequiredService<DatabaseClock>().AskAsync(CancellationToken.None);

        var hasRun = await services.GetRequiredService<JobRunner>().RunNowAsync(job, CancellationToken.None);

        await session.AnswerAsync(
            new { name, hasRun }, hasRun ? $"{name} is done." : $"{name} is being run by a node, and was not run again.");
    }
}
