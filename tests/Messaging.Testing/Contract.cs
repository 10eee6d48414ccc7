using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace Messaging.Testing;

/// <summary>
/// The document that the service serves, and whether what the service says keeps to it: a documented call and status, its content type,
/// and a body with all members that the schema asks for and none that it does not know.
/// </summary>
public sealed class Contract
{
    const string Id = "https://messaging.test/contract";

    // Goes on without end.
    const string Stream = "text/event-stream";

    // Refusals of the framework, which come from anywhere: the document's default response stands for them.
    static readonly int[] Anywhere = [405, 406, 408, 500];

    // Of an address that is no call's.
    static readonly JsonElement Elsewhere =
        JsonElement.Parse("""{"content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}}""");

    // What is served beside the contract.
    static readonly string[] Outside = ["/openapi/", "/docs", "/hubs/"];

    static readonly Dictionary<string, string> EventData = new(StringComparer.Ordinal)
    {
        ["message:new"] = "MessageView",
        ["message:edited"] = "MessageView",
        ["message:deleted"] = "MessageView",
        ["conversation:created"] = "ConversationView",
        ["conversation:updated"] = "ConversationView",
        ["conversation:closed"] = "ConversationView",
        ["conversation:reopened"] = "ConversationView",
        ["conversation:archived"] = "ConversationView",
        ["settings:updated"] = "SettingsView",
        ["contact:requested"] = "ContactView",
        ["contact:accepted"] = "ContactView",
        ["request:received"] = "MessageRequestView",
        ["request:answered"] = "MessageRequestView",
        ["attachment:ready"] = "AttachmentView",
        ["presence:changed"] = "PresenceView",
    };

    static readonly Lazy<Contract> Lazy = new(() => new(JsonElement.Parse(File.ReadAllText(Repository.File("docs/openapi/v1.json")))));

    readonly JsonElement document;
    readonly ILookup<(string Method, int Length), (string[] Template, JsonElement Operation)> calls;
    readonly ConcurrentDictionary<string, Lazy<JsonSchema>> schemas = new(StringComparer.Ordinal);

    Contract(JsonElement document)
    {
        this.document = document;
        calls = document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject(),
                (path, call) => (call.Name, Template: Segments(path.Name), Operation: call.Value))
            .ToLookup(call => (call.Name.ToUpperInvariant(), call.Template.Length), call => (call.Template, call.Operation));
        var definitions = Local(document.GetProperty("components").GetProperty("schemas").GetRawText());
        Build($$"""{"$id":"{{Id}}","$defs":{{definitions}}}""");
    }

    /// <summary>The document in docs/openapi, which a test holds against the one that is served.</summary>
    public static Contract Served => Lazy.Value;

    /// <summary>What is wrong with an answer, or null.</summary>
    /// <param name="body">Empty for a file too, whose bytes the document does not describe.</param>
    public string? Deviation(HttpMethod method, string path, int status, string? contentType, byte[] body)
    {
        if (method == HttpMethod.Options)
            return null;
        if (Response(method, path, status) is not { } documented)
            return Outside.Any(start => path.StartsWith(start, StringComparison.Ordinal)) ? null : $"The document has no {status} here.";
        if (method == HttpMethod.Head)
            return null;
        if (!documented.TryGetProperty("content", out var contents))
            return body.Length == 0 && (contentType is null || status >= 300) ? null : "The document has no body here.";
        if (contents.TryGetProperty("*/*", out _) || (contentType == Stream && contents.TryGetProperty(Stream, out _)))
            return null;
        if (contentType is null || !contents.TryGetProperty(contentType, out var content))
            return $"The document has no content type {contentType ?? "(none)"} here.";
        return content.TryGetProperty("schema", out var schema) ? Misfit(schema.GetRawText(), body) : null;
    }

    /// <summary>What in a value does not fit the schema of the name, or null.</summary>
    public string? Misfit(string component, JsonElement value) => MisfitOf(Reference(component), value);

    /// <summary>What in an event does not fit: the envelope, or data of a shape that the document has; null where all does.</summary>
    public string? EventMisfit(JsonElement envelope)
    {
        var whole = JsonObject.Create(envelope)!;
        // What passes by has no position.
        if (whole["id"] is null && EventNames.Ephemeral.Contains(whole["type"]?.GetValue<string>()))
            whole["id"] = "";
        return Misfit("EventEnvelope", JsonSerializer.SerializeToElement(whole))
            ?? (EventData.TryGetValue(envelope.GetProperty("type").GetString()!, out var component)
                ? Misfit(component, envelope.GetProperty("data")) : null);
    }

    /// <summary>The codes that the document has for a call's refusals of a status.</summary>
    public IReadOnlyList<string> Codes(HttpMethod method, string path, int status) =>
        Response(method, path, status) is { } response ? CodesOf(response) : [];

    /// <summary>Every code that the document has.</summary>
    public IReadOnlySet<string> AllCodes() =>
        document.GetProperty("components").GetProperty("responses").EnumerateObject().SelectMany(response => CodesOf(response.Value))
            .ToHashSet();

    static string[] CodesOf(JsonElement response) =>
    [
        .. response.GetProperty("content").GetProperty("application/problem+json").GetProperty("schema").GetProperty("allOf")[1]
            .GetProperty("properties").GetProperty("code").GetProperty("enum").EnumerateArray().Select(code => code.GetString()!),
    ];

    static string Reference(string component) => $$"""{"$ref":"#/components/schemas/{{component}}"}""";

    JsonElement? Find(HttpMethod method, string path)
    {
        var segments = Segments(path);
        return calls[(method.Method, segments.Length)]
            .Where(call => call.Template.Zip(segments).All(pair => pair.First[0] == '{' || pair.First == pair.Second))
            .OrderBy(call => call.Template.Count(segment => segment[0] == '{'))
            .Select(call => (JsonElement?)call.Operation)
            .FirstOrDefault();
    }

    JsonElement? Response(HttpMethod method, string path, int status)
    {
        var components = document.GetProperty("components").GetProperty("responses");
        if (Anywhere.Contains(status))
            return components.GetProperty("Problem");
        if (Find(method == HttpMethod.Head ? HttpMethod.Get : method, path) is not { } operation)
            return status >= 400 ? Elsewhere : null;
        if (!operation.GetProperty("responses").TryGetProperty($"{status}", out var response))
            return null;
        return response.TryGetProperty("$ref", out var reference)
            ? components.GetProperty(reference.GetString()!.Split('/')[^1])
            : response;
    }

    string? Misfit(string schema, byte[] body)
    {
        using var json = JsonDocument.Parse(body);
        return MisfitOf(schema, json.RootElement);
    }

    /// <summary>What in a value does not fit a schema of the document, or null.</summary>
    public string? Misfit(JsonElement schema, JsonElement value) => MisfitOf(schema.GetRawText(), value);

    string? MisfitOf(string schema, JsonElement value)
    {
        var compiled = schemas.GetOrAdd(schema, text => new(() => Build(Local(text)))).Value;
        if (compiled.Evaluate(value, Options(OutputFormat.Flag)).IsValid)
            return null;
        var results = compiled.Evaluate(value, Options(OutputFormat.List)).Details ?? [];
        return string.Join('\n', results.Where(part => part.Errors is not null)
            .SelectMany(part => part.Errors!, (part, error) => $"{part.InstanceLocation}: {error.Value}").Distinct(StringComparer.Ordinal));
    }

    static EvaluationOptions Options(OutputFormat format) => new() { OutputFormat = format, RequireFormatValidation = true };

    static JsonSchema Build(string text)
    {
        lock (Lazy)
            return JsonSchema.FromText(text, new BuildOptions { Dialect = Dialect.Draft202012 });
    }

    static string Local(string schema) => schema.Replace("\"#/components/schemas/", $"\"{Id}#/$defs/", StringComparison.Ordinal);

    static string[] Segments(string path) => path.Trim('/').Split('/');
}
