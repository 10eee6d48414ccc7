using Messaging.Testing;

[assembly: Parallelizable(ParallelScope.Fixtures)]

namespace Messaging.Api.Tests;

[SetUpFixture]
public sealed class Setup
{
    [OneTimeTearDown]
    public Task StopAsync() => TestDatabaseServer.StopAsync();
}
