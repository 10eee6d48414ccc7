using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Application.Moderation;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Messaging.Domain.Moderation;

namespace Messaging.Application.Tests.Moderation;

public sealed class ReportTests : SliceFixture
{
    [Test]
    public async Task A_report_names_the_message_and_stands_once_also_when_made_at_once()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync("bob"));
        var message = await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob), "rude");

        var made = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => ReportAsync(bob, message, "look"))));

        Assert.That(made.Count(report => report.Created), Is.EqualTo(1));
        Assert.That(made.Select(report => report.Value.Id).Distinct().Count(), Is.EqualTo(1));
        var report = made[0].Value;
        Assert.That((report.Message.Text, report.Reporter.UserId, report.Reason, report.Note, report.Status),
            Is.EqualTo(("rude", bob, ReportReason.Abuse, "look", ReportStatus.Open)));
    }

    [Test]
    public async Task Neither_ones_own_nor_a_system_message_nor_a_tombstone_is_reported()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var message = await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));
        var note = (await Slices.SendAsync(
            new SendMessage(Actor.Service, message.ConversationId, new MessageContent(Type: MessageType.System, Text: "note")))).Message;

        Assert.That(await RefusalAsync(() => ReportAsync(ada, message)), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(await RefusalAsync(() => ReportAsync(bob, note)), Is.EqualTo(ProblemCodes.NotAllowed));
        await Slices.SendAsync(new DeleteMessage(new Actor(ada), message.ConversationId, message.Id, DeleteScope.Everyone, null, null));
        Assert.That(await RefusalAsync(() => ReportAsync(bob, message)), Is.EqualTo(ProblemCodes.MessageDeleted));
    }

    [Test]
    public async Task A_note_is_bounded_and_a_stranger_reports_nothing()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var message = await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));

        Assert.That((await ProblemAsync(() => ReportAsync(bob, message, new string('x', 1_001)))).Member, Is.EqualTo("note"));
        Assert.That((await ProblemAsync(() => ReportAsync(bob, message, ""))).Member, Is.EqualTo("note"));
        Assert.That(
            await RefusalAsync(async () => await ReportAsync(await Slices.UserAsync(), message)), Is.EqualTo(ProblemCodes.NotFound));
    }

    private Task<Upserted<ReportView>> ReportAsync(UserId user, MessageView message, string? note = null) =>
        Slices.SendAsync(new ReportMessage(new Actor(user), message.ConversationId, message.Id, ReportReason.Abuse, note));
}
