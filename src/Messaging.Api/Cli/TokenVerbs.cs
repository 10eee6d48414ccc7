using System.Globalization;
using Messaging.Application.Common;
using Messaging.Application.Users;
using Messaging.Domain.Common;

namespace Messaging.Api.Cli;

internal static class TokenVerbs
{
    public static async Task MintAsync(VerbContext session, string user)
    {
        if (!UserId.TryParse(user, provider: null, out var userId))
            throw new UsageException("A user id is 1 to 64 of A-Z a-z 0-9 _ . : @ -.");
        var seconds = MintToken.DefaultTtlSeconds;
        if (session.Arguments.Optional("--ttl") is { } ttl
            && !int.TryParse(ttl, NumberStyles.None, CultureInfo.InvariantCulture, out seconds))
            throw new UsageException("--ttl takes a number of seconds.");
        session.Arguments.RefuseTheRest();

        var minted = await session.Mediator.Send(new MintToken(userId, seconds, ServiceKeyId: null));

        await session.AnswerAsync(minted, minted.Token);
        await session.RemarkAsync($"Good until {MessagingJson.TextOf(minted.ExpiresAt)}.");
    }
}
