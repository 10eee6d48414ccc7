using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Messaging.Application.Common;

/// <summary>A JSON object kept as text: a host's metadata on its way in and out, an event's payload on its way to the wire.</summary>
[JsonConverter(typeof(JsonTextConverter))]
public readonly record struct JsonText(string Value)
{
    /// <summary>What the database gives, see <see cref="StoredJson.Bounded"/>.</summary>
    public static JsonText OfStored(string text) => new(StoredJson.Bounded(text));

    /// <summary>UTF-8 bytes as it is stored and sent back, which may be more than what came in.</summary>
    public long StoredLength
    {
        get
        {
            using var document = JsonDocument.Parse(Value);
            return StoredJson.Length(document.RootElement);
        }
    }
}

/// <summary>Reads only an object that PostgreSQL can hold too and that stays as small as it came: see <see cref="StoredJson"/>.</summary>
public sealed class JsonTextConverter : JsonConverter<JsonText>
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public override JsonText Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType is not JsonTokenType.StartObject)
            throw new JsonException("A JSON object is expected.");
        using var document = JsonDocument.ParseValue(ref reader);
        StrictText.CheckUtf8(JsonMarshal.GetRawUtf8Value(document.RootElement));
        var text = document.RootElement.GetRawText();
        // The reader's own options do not reach into the value, so it is read a second time with the strict ones.
        using var strict = JsonDocument.Parse(text, Strict);
        StoredJson.Check(strict.RootElement);
        return new JsonText(text);
    }

    public override void Write(Utf8JsonWriter writer, JsonText value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value.Value, skipInputValidation: true);
}
