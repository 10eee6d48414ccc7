using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Common;

/// <summary>The one JSON dialect of REST answers, hub envelopes and stored event payloads.</summary>
public static class MessagingJson
{
    private const int TimeLength = 27;

    /// <summary>How enumerations are written: lower-case words.</summary>
    public static readonly JsonNamingPolicy EnumNaming = JsonNamingPolicy.KebabCaseLower;

    public static readonly JsonSerializerOptions Options = Configure(new JsonSerializerOptions());

    /// <summary>What values of our own kinds look like, in the words of refusals.</summary>
    public static readonly IReadOnlyDictionary<Type, string> Expected = new Dictionary<Type, string>
    {
        [typeof(Instant)] = "a time such as 2026-11-20T10:15:30.123Z",
        [typeof(UserId)] = "a user id of 1 to 64 characters out of A-Z a-z 0-9 _ . : @ -",
        [typeof(ConversationId)] = "the id of a conversation, a UUID",
        [typeof(MessageId)] = "the id of a message, a UUID",
        [typeof(AttachmentId)] = "the id of an attachment, a UUID",
    };

    /// <summary>A time as it is written everywhere: RFC 3339 in UTC, to the microsecond, which is what PostgreSQL keeps.</summary>
    public static string TextOf(Instant time) => Encoding.ASCII.GetString(Format(time, stackalloc byte[TimeLength + 1]));

    // The round-trip format without its last digit: a page holds hundreds of times, and this takes a tenth of what a pattern does.
    private static Span<byte> Format(Instant time, Span<byte> buffer)
    {
        time.ToDateTimeUtc().TryFormat(buffer, out _, "O", CultureInfo.InvariantCulture);
        buffer[TimeLength - 1] = (byte)'Z';
        return buffer[..TimeLength];
    }

    /// <summary>What is stored as JSON; the default where nothing is.</summary>
    public static T? Read<T>(JsonText? stored) => stored is { } text ? JsonSerializer.Deserialize<T>(text.Value, Options) : default;

    /// <summary>Strict reading (unknown and duplicate members refused, nulls where they are allowed) and lean writing.</summary>
    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { RefuseNullItems } };
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.Encoder = WholeTextEncoder.Instance;
        options.Converters.Add(new JsonStringEnumConverter(EnumNaming, allowIntegerValues: false));
        options.Converters.Add(new StrictStringConverter());
        options.Converters.Add(new InstantConverter());
        options.Converters.Add(new IdConverter<UserId>((writer, id) => writer.WriteStringValue(id.Value)));
        options.Converters.Add(new IdConverter<ConversationId>((writer, id) => writer.WriteStringValue(id.Value)));
        options.Converters.Add(new IdConverter<MessageId>((writer, id) => writer.WriteStringValue(id.Value)));
        options.Converters.Add(new IdConverter<AttachmentId>((writer, id) => writer.WriteStringValue(id.Value)));
        return options;
    }

    // Where an error's data hold which item of a list is null.
    private const string NullItem = "NullItem";

    /// <summary>
    /// Where in the text the reader stopped, also within a value that is read by itself, and in a list at the item that is null.
    /// </summary>
    public static string? PathOf(JsonException exception)
    {
        var path = exception.Path;
        // It has read the list to its end.
        if (exception.Data[NullItem] is int at && path?.LastIndexOf('[') is >= 0 and var end)
            path = $"{path[..end]}[{at.ToString(CultureInfo.InvariantCulture)}]";
        return path + (exception.Data[OptionalConverterFactory.InnerPath] as string)?[1..];
    }

    // Nullable annotations are respected on members only, not within a list; no list of the contract holds nulls.
    private static void RefuseNullItems(JsonTypeInfo type)
    {
        if (type is { Kind: JsonTypeInfoKind.Enumerable, ElementType.IsValueType: false })
        {
            type.OnDeserialized = list =>
            {
                var at = ((System.Collections.IEnumerable)list).Cast<object?>().ToList().IndexOf(null);
                if (at >= 0)
                    throw new JsonException("No item of the list may be null.") { Data = { [NullItem] = at } };
            };
        }
    }

    private sealed class StrictStringConverter : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType is not JsonTokenType.String)
                throw new JsonException("A string is expected.");
            try
            {
                var text = reader.GetString()!;
                StrictText.Check(text);
                return text;
            }
            catch (InvalidOperationException e)
            {
                var raw = reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan;
                StrictText.CheckUtf8(raw);
                throw new JsonException("Text must not hold half a surrogate pair.", e);
            }
        }

        // The hub's protocol brings a writer with an encoder of its own.
        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options)
        {
            if (writer.Options.Encoder == options.Encoder)
                writer.WriteStringValue(value);
            else
                writer.WriteRawValue($"\"{options.Encoder!.Encode(value)}\"", skipInputValidation: true);
        }
    }

    private sealed class InstantConverter : JsonConverter<Instant>
    {
        public override Instant Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType is JsonTokenType.String && Rfc3339.TryParse(reader.GetString()!, out var time)
                ? time
                : throw new JsonException($"Expected: {Expected[typeof(Instant)]}.");

        public override void Write(Utf8JsonWriter writer, Instant value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Format(value, stackalloc byte[TimeLength + 1]));
    }

    private sealed class IdConverter<T>(Action<Utf8JsonWriter, T> write) : JsonConverter<T>
        where T : struct, IParsable<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType is JsonTokenType.String && T.TryParse(reader.GetString(), provider: null, out var id)
                ? id
                : throw new JsonException($"Expected: {Expected[typeof(T)]}.");

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => write(writer, value);
    }
}
