using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Messaging.Application.Common;

/// <summary>A JSON object kept as text: a host's metadata on its way in and out, an event's payload on its way to the wire.</summary>
[JsonConverter(typeof(JsonTextConverter))]
public readonly record struct JsonText(string Value)
{
    public int Utf8Length => Encoding.UTF8.GetByteCount(Value);
}

/// <summary>Reads only an object that PostgreSQL can hold too: no duplicate member, no NUL, no number beyond a double.</summary>
public sealed class JsonTextConverter : JsonConverter<JsonText>
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public override JsonText Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType is not JsonTokenType.StartObject)
            throw new JsonException("A JSON object is expected.");
        using var document = JsonDocument.ParseValue(ref reader);
        var text = document.RootElement.GetRawText();
        // The reader's own options do not reach into the value, so it is read a second time with the strict ones.
        using var strict = JsonDocument.Parse(text, Strict);
        Check(strict.RootElement);
        return new JsonText(text);
    }

    public override void Write(Utf8JsonWriter writer, JsonText value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value.Value, skipInputValidation: true);

    private static void Check(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    StrictText.Check(member.Name);
                    Check(member.Value);
                }
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    Check(item);
                break;
            case JsonValueKind.String:
                StrictText.Check(element.GetString()!);
                break;
            case JsonValueKind.Number:
                if (!double.IsFinite(element.GetDouble()))
                    throw new JsonException("A number is too large.");
                break;
        }
    }
}
