using Messaging.Application.Common;
using Messaging.Application.Users;
using Messaging.Domain.Common;

namespace Messaging.Application.Tests;

public sealed class UserSearchTests : SliceFixture
{
    [OneTimeSetUp]
    public Task FillAsync() => Slices.SendAsync(new PutUsers([
        new(new UserId("1"), "Anna Maria Ñandú", null, null, null, null),
        new(new UserId("2"), null, "Johanna", "O'Neil", null, null),
        new(new UserId("3"), "annika@host.test", null, "Ärzte-Müller", null, null),
        new(new UserId("4"), "田中 太郎 🦊", null, null, null, null),
        new(new UserId("5"), null, null, null, null, null),
    ]));

    [TestCase("anna", ExpectedResult = "1")]
    [TestCase("AN", ExpectedResult = "1 3")]
    [TestCase("mar ann", ExpectedResult = "1")]
    [TestCase("ann neil", ExpectedResult = "")]
    [TestCase("jo neil", ExpectedResult = "2")]
    [TestCase("o'n", ExpectedResult = "2")]
    [TestCase("ñan", ExpectedResult = "1")]
    [TestCase("ÄRZ", ExpectedResult = "3")]
    [TestCase("ärzte-mül", ExpectedResult = "3")]
    [TestCase("annika@host.test", ExpectedResult = "3")]
    [TestCase("田中", ExpectedResult = "4")]
    [TestCase("ohanna", ExpectedResult = "")]
    public Task<string> Words_are_found_by_their_beginnings(string text) => FindAsync(text);

    [TestCase("   ")]
    [TestCase("!!!")]
    [TestCase("a:* | b")]
    [TestCase("'\\' & ''")]
    [TestCase("\\")]
    [TestCase("<script>alert('x')</script> http://host.test/a?b='c'")]
    [TestCase("-1 +2.5e10 /var/log 10.0.0.1")]
    [TestCase("👨‍👩‍👧‍👦‮")]
    public void Any_text_can_be_asked_for(string text) => Assert.That(() => FindAsync(text), Throws.Nothing);

    [Test]
    public async Task Pages_concatenate_to_all_that_is_found()
    {
        await Slices.SendAsync(new PutUsers([.. Enumerable.Range(0, 25).Select(i => new PutUser(new UserId($"page-{i:00}"), "Zoe", null, null, null, null))]));

        var (found, cursor, pages) = (new List<string>(), (string?)null, 0);
        do
        {
            var page = await Slices.SendAsync(new SearchUsers("zo", 10, cursor));
            found.AddRange(page.Items.Select(u => u.UserId.Value));
            (cursor, pages) = (page.NextCursor, pages + 1);
        }
        while (cursor is not null);

        Assert.That(found, Is.EqualTo(Enumerable.Range(0, 25).Select(i => $"page-{i:00}")));
        Assert.That(pages, Is.EqualTo(3));
    }

    [Test]
    public async Task The_index_of_names_serves_the_search()
    {
        await Slices.ExecuteAsync(
            "INSERT INTO users (id, display_name, created_at, updated_at) SELECT 'many-' || n, 'Name' || n || ' Person', now(), now() FROM generate_series(1, 20000) n");
        await Slices.ExecuteAsync("ANALYZE users");

        var plan = await Slices.SqlAsync(session => session.QueryAsync<string>(
            "EXPLAIN " + Sql.Of<SearchUsersHandler>("SearchSql"), new { Q = "name777", After = "", Take = 31 }, CancellationToken.None));

        Assert.That(string.Join('\n', plan), Does.Contain("ix_users_name").And.Not.Contain("Seq Scan"));
    }

    async Task<string> FindAsync(string text)
    {
        var page = await Slices.SendAsync(new SearchUsers(text, PageCursor.MaxLimit, null));
        return string.Join(' ', page.Items.Select(u => u.UserId.Value));
    }

    static class Sql
    {
        public static string Of<THandler>(string name) => (string)typeof(THandler)
            .GetField(name, System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!.GetRawConstantValue()!;
    }
}
