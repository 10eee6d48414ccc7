using Messaging.Application.Common;
using Messaging.Application.Push;
using Messaging.Application.ServiceKeys;
using Messaging.Domain.ServiceKeys;

namespace Messaging.Api.Cli;

internal static class KeyVerbs
{
    public static async Task CreateAsync(VerbContext session)
    {
        var name = session.Arguments.Required("--name");
        var scopes = session.Arguments.Required("--scopes").Split(',', StringSplitOptions.TrimEntries).Select(Parse).ToList();
        session.Arguments.RefuseTheRest();

        var key = await session.Mediator.Send(new CreateServiceKey(name, scopes));

        await session.AnswerAsync(key, key.Key);
        await session.RemarkAsync($"Key {key.Id} for '{key.Name}' with {NamesOf(key.Scopes)}. It is shown this once.");
    }

    public static async Task ListAsync(VerbContext session)
    {
        session.Arguments.RefuseTheRest();

        var keys = new List<ServiceKeySummary>();
        for (string? cursor = null; ;)
        {
            var page = await session.Mediator.Send(new ListServiceKeys(PageCursor.MaxLimit, cursor));
            keys.AddRange(page.Items);
            if ((cursor = page.NextCursor) is null)
                break;
        }

        await session.AnswerAsync(new { items = keys }, keys.Select(Line));
    }

    public static async Task RevokeAsync(VerbContext session, string id)
    {
        session.Arguments.RefuseTheRest();

        await session.Mediator.Send(new RevokeServiceKey(id));

        await session.AnswerAsync(new { id, revoked = true }, $"{id} is revoked.");
    }

    public static async Task VapidAsync(VerbContext session)
    {
        session.Arguments.RefuseTheRest();

        var keys = VapidKeys.Make();

        await session.AnswerAsync(
            keys, $"Messaging__Push__WebPush__PublicKey={keys.PublicKey}", $"Messaging__Push__WebPush__PrivateKey={keys.PrivateKey}");
        await session.RemarkAsync("Browsers subscribe with the public key. With another pair, all of them have to subscribe again.");
    }

    private static Scope Parse(string name) => ScopeNames.Parse(name)
        ?? throw new UsageException($"There is no scope '{name}'; there are {NamesOf(Enum.GetValues<Scope>())}.");

    private static string Line(ServiceKeySummary key)
    {
        var state = key.RevokedAt is { } at ? $"revoked {MessagingJson.TextOf(at)}" : "good";
        return $"{key.Id}  {state}  created {MessagingJson.TextOf(key.CreatedAt)}  {NamesOf(key.Scopes)}  {key.Name}";
    }

    private static string NamesOf(IEnumerable<Scope> scopes) => string.Join(",", scopes.Select(ScopeNames.NameOf));
}
