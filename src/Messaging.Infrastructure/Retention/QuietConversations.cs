using MediatR;
using Messaging.Application.Conversations;
using Messaging.Application.Retention;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Messaging.Infrastructure.Retention;

/// <summary>Closes conversations about something of the host's in which nothing was said for the time that is configured.</summary>
public sealed class QuietConversations(IServiceScopeFactory scopes, RetentionSettings settings, IClock clock)
{
    private const int BatchSize = 1_000;

    public async Task CloseAsync(CancellationToken ct)
    {
        var since = clock.GetCurrentInstant() - Duration.FromDays(settings.InactiveCloseDays);
        var after = new ConversationId(Guid.Empty);
        IReadOnlyList<InactiveConversation> some;
        do
        {
            some = await SendAsync(new ListInactive(since, after, BatchSize), ct);
            foreach (var conversation in some.Where(conversation => conversation.IsQuiet))
                await CloseAsync(conversation.Id, since, ct);
            after = some.Count > 0 ? some[^1].Id : after;
        }
        while (some.Count == BatchSize);
    }

    // Whoever closed, archived or deleted it meanwhile was first.
    private async Task CloseAsync(ConversationId id, Instant since, CancellationToken ct)
    {
        try
        {
            await SendAsync(new CloseConversation(Actor.Service, id, CloseReason.Inactive, Note: null, since), ct);
        }
        catch (RuleException e)
            when (e.Problem.Code is ProblemCodes.ConversationClosed or ProblemCodes.ConversationArchived or ProblemCodes.NotFound)
        {
        }
    }

    private async Task<T> SendAsync<T>(IRequest<T> request, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<IMediator>().Send(request, ct);
    }
}
