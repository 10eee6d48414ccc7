using Messaging.Application.Revocations;
using Messaging.Domain.Common;
using Messaging.Testing;
using NodaTime;

namespace Messaging.Application.Tests.Revocations;

public sealed class RevocationListTests
{
    private static readonly UserId Ada = new("ada");
    private static readonly Revocation Tokens = new(RevocationKind.Tokens, Ada.Value, Instant.FromUtc(2026, 1, 1, 0, 0));

    private readonly ManualTime time = new();

    [Test]
    public void A_revocation_is_kept_for_two_hours_and_then_forgotten()
    {
        var list = new RevocationList(time);
        list.Add([Tokens]);

        var known = KnownAfter(list, TimeSpan.FromHours(2));

        Assert.That((known, KnownAfter(list, TimeSpan.FromTicks(1))), Is.EqualTo((true, false)));
    }

    [Test]
    public void A_revocation_heard_again_is_kept_longer_and_not_announced_again()
    {
        var list = new RevocationList(time);
        var news = 0;
        list.OnAdded(added => news += added.Count);
        list.Add([Tokens]);
        for (var i = 0; i < 3; i++)
        {
            time.Advance(TimeSpan.FromHours(3));
            list.Add([Tokens]);
        }

        Assert.That((news, KnownAfter(list, TimeSpan.FromHours(2)), KnownAfter(list, TimeSpan.FromTicks(1))), Is.EqualTo((1, true, false)));
    }

    // What is added, be it nothing, has it forget what is old.
    private bool KnownAfter(RevocationList list, TimeSpan passed)
    {
        time.Advance(passed);
        list.Add([]);
        return list.TokensEndedAt(Ada) is not null;
    }
}
