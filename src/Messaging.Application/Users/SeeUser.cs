using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Users;

/// <summary>
/// A token named this user: the first that does makes the user, with what it says of them; a user who is there stays as they are.
/// A name that is too long is cut, an address that is none left out: a token is not refused for its decoration.
/// </summary>
public sealed record SeeUser(UserId UserId, string? DisplayName, string? AvatarUrl) : IStatementCommand<Done>;

public sealed class SeeUserHandler(DbSession session, IClock clock) : IRequestHandler<SeeUser, Done>
{
    // pk_users.
    private const string InsertSql =
        """
        INSERT INTO users (id, display_name, avatar_url, created_at, updated_at)
        VALUES (@UserId, @DisplayName, @AvatarUrl, @Now, @Now)
        ON CONFLICT (id) DO NOTHING
        """;

    public async Task<Done> Handle(SeeUser command, CancellationToken ct)
    {
        var name = command.DisplayName is { } text && StrictText.IsStorable(text) ? StrictText.First(text, ProfileRules.NameLength) : null;
        var url = command.AvatarUrl is { } address && StrictText.IsStorable(address) && WebAddress.IsValidOrNull(address) ? address : null;
        await session.ExecuteAsync(
            InsertSql, new { UserId = command.UserId.Value, DisplayName = name, AvatarUrl = url, Now = clock.GetCurrentInstant() }, ct);
        return default;
    }
}
