using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using FluentValidation;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Messages;

/// <summary>A message to send.</summary>
/// <param name="ClientMessageId">Chosen by the sender, 1 to 64 characters: a repeat returns the stored message.</param>
/// <param name="Type"><c>text</c> by default; <c>system</c> for the service only.</param>
/// <param name="Text">Up to 10,000 characters, counted as code points; returned verbatim.</param>
/// <param name="Metadata">
/// The host's own JSON object, up to 16 KiB in the form it is returned: a space after each comma and colon, numbers without an exponent and
/// at most 400 characters long, objects and arrays nested at most 32 deep. The member <c>formatting</c> holds ranges of the text.
/// </param>
/// <param name="ReplyToId">The message in this conversation that this one replies to.</param>
/// <param name="Mentions">Participants to notify, up to 100; <c>@all</c> is everyone.</param>
/// <param name="AttachmentIds">For the types <c>image</c>, <c>file</c>, <c>voice</c> and <c>video</c>: up to 5 unsent files.</param>
/// <param name="Location">For the type <c>location</c>: the place.</param>
/// <param name="Reference">For the type <c>shared</c>: what is shared.</param>
public sealed record MessageContent(
    string? ClientMessageId = null,
    MessageType? Type = null,
    string? Text = null,
    JsonText? Metadata = null,
    MessageId? ReplyToId = null,
    IReadOnlyList<UserId>? Mentions = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<AttachmentId>? AttachmentIds = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] MessageLocation? Location = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] MessageReference? Reference = null)
{
    /// <summary>Notifies nobody, not even of mentions; the message counts as unread all the same.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? Silent { get; init; }

    public MessageDraft ToDraft() => new(
        ClientMessageId, Type ?? MessageType.Text, Text, Metadata?.Value, ReplyToId, Mentions is null ? [] : [.. Mentions.Distinct()],
        Location,
        Reference, AttachmentIds);

    public EditableContent ToWords() => new(Type ?? MessageType.Text, Text, Metadata, Mentions);

    // As fingerprints that are stored were made.
    private static readonly JsonSerializerOptions Fingerprinted =
        new(MessagingJson.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Tells a retry from another message under the same name. Members that came later leave it as it was where they are absent.
    /// </summary>
    public byte[] Fingerprint() =>
        SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(this with { Type = Type ?? MessageType.Text }, Fingerprinted));
}

public sealed class MessageContentValidator : AbstractValidator<MessageContent>
{
    public MessageContentValidator(IValidator<EditableContent> words, LimitSettings limits)
    {
        RuleFor(m => m.ClientMessageId).Must(id => id is null || StrictText.Length(id) is >= 1 and <= 64)
            .WithMessage("A clientMessageId has 1 to 64 characters.");
        RuleFor(m => m.Metadata).IsMetadata(limits);
        RuleFor(m => m.ToWords()).SetValidator(words).OverridePropertyName("");
        RuleFor(m => m.AttachmentIds).Must((m, ids) => TypeRule.Of(m.Type).Attachments.Allows(ids is { Count: > 0 }))
            .WithMessage((m, ids) => TypeRule.Of(m.Type).Attachments.Expected(m.Type, "an attachment"));
        RuleFor(m => m.AttachmentIds)
            .Must(ids => ids is null || (ids.Count <= limits.AttachmentsPerMessage && ids.Distinct().Count() == ids.Count))
            .WithMessage($"A message has at most {limits.AttachmentsPerMessage} attachments, each once.");
        RuleFor(m => m.AttachmentIds).Must(ids => ids is null || ids.Count == 1)
            .When(m => m.Type is MessageType.Voice && m.AttachmentIds is { Count: > 0 })
            .WithMessage("A message of type 'voice' has exactly one attachment.");
        RuleFor(m => m.Location).Must((m, location) => TypeRule.Of(m.Type).Location.Allows(location is not null))
            .WithMessage((m, location) => TypeRule.Of(m.Type).Location.Expected(m.Type, "a location"));
        RuleFor(m => m.Location!).ValidLocation().When(m => m.Location is not null);
        RuleFor(m => m.Reference).Must((m, reference) => TypeRule.Of(m.Type).Reference.Allows(reference is not null))
            .WithMessage((m, reference) => TypeRule.Of(m.Type).Reference.Expected(m.Type, "a reference"));
        RuleFor(m => m.Reference!).ValidReference().When(m => m.Reference is not null);
    }
}
