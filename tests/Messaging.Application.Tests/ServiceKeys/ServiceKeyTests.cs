using Messaging.Application.Common;
using Messaging.Application.ServiceKeys;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;

namespace Messaging.Application.Tests.ServiceKeys;

public sealed class ServiceKeyTests : SliceFixture
{
    [Test]
    public async Task A_key_is_good_for_its_scopes_until_it_is_revoked()
    {
        var key = await CreateAsync(Scope.Users, Scope.Events);
        var good = await Slices.SendAsync(new AuthenticateServiceKey(key, ActAs: null));

        await Slices.SendAsync(new RevokeServiceKey(key.Id));

        Assert.That(good!.Scopes, Is.EqualTo(new[] { Scope.Users, Scope.Events }));
        Assert.That(await Slices.SendAsync(new AuthenticateServiceKey(key, ActAs: null)), Is.Null);
    }

    [Test]
    public async Task Authenticating_a_service_key_also_tells_whether_the_user_exists()
    {
        var key = await CreateAsync(Scope.Users);
        var known = await Slices.SendAsync(new AuthenticateServiceKey(key, await Slices.UserAsync()));
        var unknown = await Slices.SendAsync(new AuthenticateServiceKey(key, new UserId("nobody")));

        Assert.That((known!.ActAsKnown, unknown!.ActAsKnown), Is.EqualTo((true, false)));
    }

    [Test]
    public async Task Revoking_again_keeps_the_first_time()
    {
        var key = await CreateAsync(Scope.Users);
        await Slices.SendAsync(new RevokeServiceKey(key.Id));
        var first = await RevokedAtAsync(key);

        await Slices.SendAsync(new RevokeServiceKey(key.Id));

        Assert.That(await RevokedAtAsync(key), Is.EqualTo(first));
    }

    [Test]
    public async Task A_scope_of_a_later_release_is_passed_over()
    {
        var key = await CreateAsync(Scope.Users);
        await Slices.ExecuteAsync("UPDATE service_keys SET scopes = '{later,users}' WHERE id = @Id", new { key.Id });

        Assert.That((await Slices.SendAsync(new AuthenticateServiceKey(key, ActAs: null)))!.Scopes, Is.EqualTo(new[] { Scope.Users }));
    }

    [Test]
    public async Task Keys_are_listed_page_by_page()
    {
        for (var i = 0; i < 3; i++)
            await CreateAsync(Scope.Users);

        var first = await Slices.SendAsync(new ListServiceKeys(2, Cursor: null));
        var rest = await Slices.SendAsync(new ListServiceKeys(100, first.NextCursor));

        Assert.That(first.Items, Has.Count.EqualTo(2));
        Assert.That(
            first.Items.Concat(rest.Items).Select(k => k.Id), Is.Ordered.Using((IComparer<string>)StringComparer.Ordinal).And.Unique);
        Assert.That(rest.NextCursor, Is.Null);
    }

    [Test]
    public void A_key_does_not_print_its_secret()
    {
        var key = ServiceKey.New();

        Assert.That($"{key} {new AuthenticateServiceKey(key, ActAs: null)}", Does.Not.Contain(key.Reveal().Split('_')[2]));
    }

    async Task<ServiceKey> CreateAsync(params Scope[] scopes)
    {
        var created = await Slices.SendAsync(new CreateServiceKey("test", scopes));
        return ServiceKey.TryParse(created.Key, out var key) ? key : throw new FormatException();
    }

    async Task<string?> RevokedAtAsync(ServiceKey key) =>
        await Slices.ScalarAsync<string?>("SELECT revoked_at::text FROM service_keys WHERE id = @Id", new { key.Id });
}
