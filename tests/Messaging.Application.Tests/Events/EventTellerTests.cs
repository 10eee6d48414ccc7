using System.Text.RegularExpressions;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Tests.Events;

public sealed partial class EventTellerTests : SliceFixture
{
    private static readonly string[] Shared = ["UserId", "Receipts"];

    // What is told together is read in one round trip, where a name has one value.
    [Test]
    public void No_two_sources_ask_by_parameters_of_one_name()
    {
        var names = Slices.Get<IEnumerable<IEventSource>>().SelectMany(source => ParametersOf(source).Except(Shared));

        Assert.That(names, Is.Unique.And.Contains("Seqs").And.Contains("CountedUsers"));
    }

    private static IEnumerable<string> ParametersOf(IEventSource source)
    {
        var rows = source.Types.Select(
            (type, i) => new FeedRow(i, NodaConstants.UnixEpoch, Guid.NewGuid(), Seq: 1, "ada", type, Payload: null)).ToList();
        return Parameter().Matches(source.Read(rows, new UserId("ada")).Sql).Select(match => match.Groups["name"].Value).Distinct();
    }

    [GeneratedRegex("(?<!')@(?<name>[A-Z]\\w+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Parameter();
}
