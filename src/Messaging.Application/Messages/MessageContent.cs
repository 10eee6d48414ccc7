using System.Security.Cryptography;
using System.Text.Json;
using FluentValidation;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Messages;

/// <summary>What a sender wants to say.</summary>
/// <param name="ClientMessageId">The sender's own name for it, 1 to 64 characters: a repeat answers with the stored message.</param>
/// <param name="Type"><c>text</c> unless said; <c>system</c> for the service only.</param>
/// <param name="Text">Up to 10,000 characters, counted as code points; comes back verbatim.</param>
/// <param name="Metadata">The host's own JSON object, up to 16 KiB.</param>
/// <param name="ReplyToId">The message of this conversation that this one answers.</param>
/// <param name="Mentions">Participants to draw attention of, up to 100.</param>
public sealed record MessageContent(
    string? ClientMessageId = null,
    MessageType? Type = null,
    string? Text = null,
    JsonText? Metadata = null,
    MessageId? ReplyToId = null,
    IReadOnlyList<UserId>? Mentions = null)
{
    public MessageDraft ToDraft() =>
        new(ClientMessageId, Type ?? MessageType.Text, Text, Metadata?.Value, ReplyToId, Mentions is null ? [] : [.. Mentions.Distinct()]);

    /// <summary>Tells a retry from another message under the same name.</summary>
    public byte[] Fingerprint() =>
        SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(this with { Type = Type ?? MessageType.Text }, MessagingJson.Options));
}

public sealed class MessageContentValidator : AbstractValidator<MessageContent>
{
    public MessageContentValidator(Limits limits)
    {
        RuleFor(m => m.ClientMessageId).Must(id => id is null || StrictText.Length(id) is >= 1 and <= 64)
            .WithMessage("A clientMessageId has 1 to 64 characters.");
        RuleFor(m => m.Text).Must(text => text is null || StrictText.Length(text) <= limits.TextLength)
            .WithMessage($"A text has at most {limits.TextLength} characters.");
        RuleFor(m => m.Text).Must(text => !string.IsNullOrWhiteSpace(text)).When(m => m.Type is not MessageType.System)
            .WithMessage("A message of type 'text' has a text that is not empty.");
        RuleFor(m => m.Text).Must((m, text) => !string.IsNullOrWhiteSpace(text) || m.Metadata is not null).When(m => m.Type is MessageType.System)
            .WithMessage("A message of type 'system' has a text or metadata.");
        RuleFor(m => m.Metadata).Must(json => json is null || json.Value.Utf8Length <= limits.MetadataBytes)
            .WithMessage($"Metadata is at most {limits.MetadataBytes} bytes of JSON.");
        RuleFor(m => m.Mentions).Must(mentions => mentions is null || mentions.Count <= 100)
            .WithMessage("A message mentions at most 100 people.");
    }
}
