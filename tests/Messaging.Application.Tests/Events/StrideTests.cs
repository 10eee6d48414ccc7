using System.Data;
using System.Text.Json;
using Messaging.Infrastructure.Events;
using Npgsql;

namespace Messaging.Application.Tests.Events;

public sealed class StrideTests
{
    [TestCase("22021", true)]
    [TestCase("23514", true)]
    [TestCase("54000", true)]
    [TestCase("XX001", false)]
    [TestCase("XX002", false)]
    [TestCase("0A000", false)]
    [TestCase("P0001", false)]
    [TestCase("42P01", false)]
    [TestCase("58030", false)]
    public void Only_what_the_database_says_of_data_is_an_event_s_fault(string sqlState, bool isOfEvents) =>
        Assert.That(Stride.IsOfEvents(new PostgresException("failed", "ERROR", "ERROR", sqlState)), Is.EqualTo(isOfEvents));

    [Test]
    public void A_process_that_lacks_something_is_no_event_s_fault() => Assert.That(
        ((Exception[])[new InsufficientMemoryException(), new IOException(), new ObjectDisposedException("")]).Where(Stride.IsOfEvents),
        Is.Empty);

    [Test]
    public void An_event_of_which_nothing_can_be_made_is_at_fault() => Assert.That(
        ((Exception[])[new FormatException(), new JsonException(), new DataException()]).Where(Stride.IsOfEvents), Has.Exactly(3).Items);
}
