using MediatR;
using Messaging.Application.Common;

namespace Messaging.Application.Webhooks;

/// <summary>Forgets an address: a second later it is called no more.</summary>
/// <param name="ExpectedVersions">Any when null.</param>
[OneTransaction("the version is looked at under the lock under which the row goes")]
public sealed record DeleteWebhook(Guid Id, IReadOnlyList<long>? ExpectedVersions) : ITransactionCommand<Done>;

public sealed class DeleteWebhookHandler(DbSession session, WebhookStore webhooks) : IRequestHandler<DeleteWebhook, Done>
{
    // pk_webhooks, locked.
    private const string DeleteSql =
        """
        DELETE FROM webhooks
        WHERE id = @Id
        """;

    public async Task<Done> Handle(DeleteWebhook command, CancellationToken ct)
    {
        await webhooks.LockAsync(command.Id, command.ExpectedVersions, ct);
        await session.ExecuteAsync(DeleteSql, new { command.Id }, ct);
        return default;
    }
}
