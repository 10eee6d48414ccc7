using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;

namespace Messaging.Application.Attachments;

/// <summary>Who may upload, and how much a user has uploaded: asked before a file is received, then, and when it is kept.</summary>
public sealed class UploadStore(DbSession session, ConversationStore conversations, LimitSettings limits)
{
    // Locks the user's row until the end of the transaction: two uploads at once do not pass a limit together. Whoever began before
    // midnight and gets the row after one of today does not set the day back.
    private const string TakeSql =
        """
        INSERT INTO upload_days AS d (user_id, day, bytes)
        VALUES (@UserId, (now() AT TIME ZONE 'UTC')::date, @Bytes)
        ON CONFLICT (user_id) DO UPDATE
        SET day = greatest(d.day, EXCLUDED.day),
            bytes = EXCLUDED.bytes + CASE WHEN d.day >= EXCLUDED.day THEN d.bytes ELSE 0 END
        """;

    // Index: pk_upload_days.
    private const string GiveBackSql =
        """
        UPDATE upload_days
        SET bytes = greatest(bytes - @Bytes, 0)
        WHERE user_id = @UserId AND day = (now() AT TIME ZONE 'UTC')::date
        """;

    // Index: pk_upload_days; ix_attachments_unnamed, no further than the limit.
    private const string UsedSql =
        $"""
        SELECT coalesce((
                SELECT d.bytes
                FROM upload_days d
                WHERE d.user_id = @UserId AND d.day >= (now() AT TIME ZONE 'UTC')::date), 0) AS bytes,
            (SELECT count(*)
            FROM (
                SELECT
                FROM attachments a
                WHERE a.uploader_id = @UserId AND {AttachmentSql.Unnamed}
                LIMIT @UnnamedFiles) AS unnamed) AS unnamed,
            ceil(extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day' - (now() AT TIME ZONE 'UTC')))::int
                AS reset_seconds
        """;

    /// <summary>What the user may still upload; refuses whoever may not post to the conversation, and who has nothing left.</summary>
    public async Task<UploadQuota> AdmitAsync(Actor actor, ConversationId id, CancellationToken ct)
    {
        await EnsureMayPostAsync(actor, id, ct);
        var room = await QuotaAsync(actor.RequireUser(), ct);
        room.EnsureFits(1);
        return room;
    }

    /// <summary>
    /// Counts what was received, in a transaction, and has the user's other uploads wait for its end; refuses like
    /// <see cref="AdmitAsync"/>.
    /// </summary>
    public async Task TakeAsync(Actor actor, ConversationId id, long bytes, CancellationToken ct)
    {
        var user = actor.RequireUser();
        await session.ExecuteAsync(TakeSql, new { UserId = user.Value, Bytes = bytes }, ct);
        (await QuotaAsync(user, ct)).EnsureFits(0);
        await EnsureMayPostAsync(actor, id, ct);
    }

    /// <summary>Forgets what was counted and not kept by a fault that is not the user's.</summary>
    public Task GiveBackAsync(UserId user, long bytes, CancellationToken ct) =>
        session.ExecuteAsync(GiveBackSql, new { UserId = user.Value, Bytes = bytes }, ct);

    private async Task EnsureMayPostAsync(Actor actor, ConversationId id, CancellationToken ct)
    {
        var (conversation, participant) = await conversations.FindAsync(id, actor, ct) ?? throw AttachmentErrors.NotInConversation();
        conversation.EnsureMayPost(participant);
    }

    private async Task<UploadQuota> QuotaAsync(UserId user, CancellationToken ct)
    {
        var uploads = await session.QuerySingleAsync<Uploads>(UsedSql, new { UserId = user.Value, limits.UnnamedFiles }, ct);
        return uploads.Within(limits.UploadBytesPerDay, limits.UnnamedFiles);
    }
}
