using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>Around all tests of this namespace, which is the assembly's.</summary>
[SetUpFixture]
public sealed class TestRun
{
    [OneTimeTearDown]
    public Task StopDatabaseServerAsync() => TestDatabaseServer.StopAsync();
}
