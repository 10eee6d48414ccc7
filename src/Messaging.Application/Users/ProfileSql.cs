namespace Messaging.Application.Users;

/// <summary>What is read of a user.</summary>
public static class ProfileSql
{
    /// <summary>A profile, for statements that name the user <c>u</c>, in the order of <see cref="UserProfile"/>'s members.</summary>
    // Index: pk_accounts.
    public const string Columns =
        """
        u.id AS user_id, u.display_name, u.first_name, u.last_name,
            (SELECT a.username FROM accounts AS a WHERE a.user_id = u.id) AS username,
            u.avatar_url, u.metadata, u.created_at, u.updated_at
        """;
}
