namespace Messaging.Infrastructure.Jobs;

/// <summary>Work for the whole cluster, which one node does at a time. Modules register theirs.</summary>
/// <param name="Name">As the lease and the command line call it.</param>
/// <param name="Schedule">When it is due, in UTC: a cron expression of five fields.</param>
/// <param name="RunAsync">May be broken off at any time, and is run again after a failure.</param>
public sealed record Job(string Name, string Schedule, Func<CancellationToken, Task> RunAsync);
