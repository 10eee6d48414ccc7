using Messaging.Application.Common;

namespace Messaging.Application.Participants;

/// <summary>Who takes part, in which role, who is kept out, and everybody's own settings.</summary>
public sealed class ParticipantsModule : Module
{
    // Index: pk_bans.
    private const string PurgeBansSql = "DELETE FROM bans WHERE conversation_id = $1";

    public override IReadOnlyList<string> Tables { get; } = ["participants", "bans"];

    // Of who goes.
    public override IReadOnlyList<string> AlsoWrites { get; } = ["inbox_places"];

    public override IReadOnlyList<string> Purges { get; } = [PurgeBansSql];
}
