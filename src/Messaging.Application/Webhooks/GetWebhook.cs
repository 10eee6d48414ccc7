using MediatR;
using Messaging.Application.Common;

namespace Messaging.Application.Webhooks;

/// <summary>A webhook, without its secret.</summary>
public sealed record GetWebhook(Guid Id) : IQuery<WebhookView>;

public sealed class GetWebhookHandler(WebhookStore webhooks) : IRequestHandler<GetWebhook, WebhookView>
{
    public async Task<WebhookView> Handle(GetWebhook query, CancellationToken ct) => (await webhooks.GetAsync(query.Id, ct)).ToView();
}
