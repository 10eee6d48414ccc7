using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Messaging.Application.Common;

/// <summary>A member of a JSON Merge Patch: absent (keep), null (clear) or a value (set).</summary>
[JsonConverter(typeof(OptionalConverterFactory))]
public readonly record struct Optional<T>(T? Value)
{
    /// <summary>Whether the member was there, be it null.</summary>
    public bool IsGiven { get; } = true;

    /// <summary>The value after the patch.</summary>
    public T? Or(T? current) => IsGiven ? Value : current;
}

public sealed class OptionalConverterFactory : JsonConverterFactory
{
    /// <summary>Where an error's data hold its path within the value.</summary>
    public const string InnerPath = "InnerPath";

    public override bool CanConvert(Type typeToConvert) =>
        typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(Optional<>);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(OptionalConverter<>).MakeGenericType(typeToConvert.GenericTypeArguments))!;

    private sealed class OptionalConverter<T> : JsonConverter<Optional<T>>
    {
        public override bool HandleNull => true;

        public override Optional<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType is JsonTokenType.Null)
                return new(default(T));
            try
            {
                // A plain value by its converter, so that an error has the path of this one.
                return new(options.GetTypeInfo(typeof(T)).Kind is JsonTypeInfoKind.None
                    ? ((JsonConverter<T>)options.GetConverter(typeof(T))).Read(ref reader, typeof(T), options)
                    : JsonSerializer.Deserialize<T>(ref reader, options));
            }
            // The reading of an object or a list begins a path of its own, which goes on from where this value stands.
            catch (JsonException e) when (e.GetType() == typeof(JsonException) && e.Path is not null)
            {
                throw new JsonException(e.Message, e)
                {
                    Data = { [OptionalConverterFactory.InnerPath] = MessagingJson.PathOf(e) },
                };
            }
        }

        public override void Write(Utf8JsonWriter writer, Optional<T> value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, value.Value, options);
    }
}
