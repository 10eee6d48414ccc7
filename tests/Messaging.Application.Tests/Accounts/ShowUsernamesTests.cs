using Messaging.Application.Accounts;
using Messaging.Application.Users;
using Messaging.Domain.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Tests.Accounts;

public sealed class ShowUsernamesTests : AccountFixture
{
    protected override void Add(IServiceCollection services)
    {
        base.Add(services);
        services.AddSingleton(new AccountSettings { HashIterations = 10, ShowUsernames = true });
    }

    [Test]
    public async Task Where_the_operator_has_it_so_everybody_sees_them()
    {
        var (name, viewer) = (NewName(), new Actor(await Slices.UserAsync()));
        var id = (await RegisterAsync(name)).User.UserId;

        Assert.That((await Slices.SendAsync(new GetUser(viewer, id))).Username, Is.EqualTo(name));
    }
}
