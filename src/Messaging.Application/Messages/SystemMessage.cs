using System.Text.Json;
using System.Text.Json.Serialization;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;

namespace Messaging.Application.Messages;

/// <summary>What a system message of the product's own says, as its metadata.</summary>
/// <param name="Event">
/// <c>conversation-created</c>, <c>user-joined</c>, <c>user-left</c>, <c>user-removed</c>, <c>role-changed</c>, <c>owner-changed</c>,
/// <c>name-changed</c>, <c>conversation-closed</c> or <c>conversation-reopened</c>.
/// </param>
/// <param name="By">Who did it; absent for the service.</param>
/// <param name="UserIds">Whom it happened to.</param>
public sealed record SystemMessage(
    string Event, UserId? By = null, IReadOnlyList<UserId>? UserIds = null, ParticipantRole? Role = null, string? Name = null,
    string? Reason = null)
{
    private static readonly JsonSerializerOptions Lean =
        new(MessagingJson.Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public JsonText ToMetadata() => new(JsonSerializer.Serialize(this, Lean));
}
