using Messaging.Application.Common;
using Messaging.Application.Users;
using Messaging.Domain.Common;

namespace Messaging.Application.Tests.Users;

public sealed class UserSearchTests : SliceFixture
{
    [OneTimeSetUp]
    public async Task FillAsync()
    {
        await Slices.SendAsync(new PutUsers([
            new(new UserId("1"), "Anna Maria Ñandú", null, null, null, null),
            new(new UserId("2"), null, "Johanna", "O'Neil", null, null),
            new(new UserId("3"), "annika@host.test", null, "Ärzte-Müller", null, null),
            new(new UserId("4"), "田中 太郎 🦊", null, null, null, null),
            new(new UserId("5"), null, null, null, null, null),
            new(new UserId("6"), "Kitty", null, null, null, null),
        ]));
        await Slices.ExecuteAsync(
            """
            INSERT INTO accounts (user_id, username, password_hash, created_at, password_changed_at)
            SELECT id, name, '$2b$04$' || repeat('x', 53), now(), now()
            FROM (VALUES ('3', 'Kitty_Cat'), ('5', 'zzz'), ('6', 'kit')) AS v (id, name)
            """);
    }

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

    [TestCase("kit", ExpectedResult = "3 6")]
    [TestCase("KITTY_c", ExpectedResult = "3")]
    [TestCase("kitty_", ExpectedResult = "3 6")]
    [TestCase("anna_", ExpectedResult = "1")]
    [TestCase("_cat", ExpectedResult = "")]
    [TestCase("kitty cat", ExpectedResult = "")]
    [TestCase("kit%", ExpectedResult = "6")]
    [TestCase("zzz", ExpectedResult = "5")]
    public Task<string> Usernames_are_found_by_their_beginning(string text) => FindAsync(text);

    [Test]
    public async Task More_than_16_words_are_refused()
    {
        var words = string.Join(' ', Enumerable.Range(1, 16));

        Assert.That(await FindAsync($"{words} 16 16"), Is.Empty);
        Assert.That((await ProblemAsync(() => FindAsync($"{words} 17"))).Member, Is.EqualTo("q"));
    }

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
        await Slices.SendAsync(
            new PutUsers([.. Enumerable.Range(0, 25).Select(i => new PutUser(new UserId($"page-{i:00}"), "Zoe", null, null, null, null))]));

        var (found, cursor, pages) = (new List<string>(), (string?)null, 0);
        do
        {
            var page = await Slices.SendAsync(new SearchUsers(Actor.Service, "zo", 10, cursor));
            found.AddRange(page.Items.Select(u => u.UserId.Value));
            (cursor, pages) = (page.NextCursor, pages + 1);
        }
        while (cursor is not null);

        Assert.That(found, Is.EqualTo(Enumerable.Range(0, 25).Select(i => $"page-{i:00}")));
        Assert.That(pages, Is.EqualTo(3));
    }

    [Test]
    public async Task The_indexes_of_names_and_usernames_serve_the_search()
    {
        await Slices.ExecuteAsync(
            """
            INSERT INTO users (id, display_name, created_at, updated_at)
            SELECT 'many-' || n, 'Name' || n || ' Person', now(), now()
            FROM generate_series(1, 20000) AS n;
            INSERT INTO accounts (user_id, username, password_hash, created_at, password_changed_at)
            SELECT 'many-' || n, 'many_' || n, '$2b$04$' || repeat('x', 53), now(), now()
            FROM generate_series(1, 20000) AS n
            """);
        await Slices.ExecuteAsync("ANALYZE users, accounts");

        var plan = await Slices.SqlAsync(session => session.QueryAsync<string>(
            "EXPLAIN " + Sql.Of<SearchUsersHandler>("SearchSql"),
            new { UserId = "many-1", Query = "('name777':*)", Username = "name777", After = "", Take = 31 }, CancellationToken.None));

        Assert.That(string.Join('\n', plan), Does.Contain("ix_users_name").And.Contain("uq_accounts_username").And.Not.Contain("Seq Scan"));
    }

    async Task<string> FindAsync(string text)
    {
        var page = await Slices.SendAsync(new SearchUsers(Actor.Service, text, PageCursor.MaxLimit, null));
        return string.Join(' ', page.Items.Select(u => u.UserId.Value));
    }

    static class Sql
    {
        public static string Of<THandler>(string name) => (string)typeof(THandler)
            .GetField(name, System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!.GetRawConstantValue()!;
    }
}
