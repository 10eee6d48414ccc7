using System.Diagnostics;
using System.Text.Json;
using Messaging.Api.OpenApi;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Surface;

public sealed class OpenApiTests
{
    static readonly string Written = Repository.File("docs/openapi/v1.json");
    static readonly string[] Types = ["type", "$ref", "oneOf"];
    static readonly string[] Methods = ["get", "put", "post", "patch", "delete"];

    ApiHost api = null!;
    JsonElement document;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        api = await ApiHost.StartAsync();
        document = JsonDocument.Parse(File.ReadAllText(Written)).RootElement;
        // Each of them is asked below, and none would pass.
        Assert.That(Operations().SelectMany(call => Bodies(call.Operation)), Is.Not.Empty);
        Assert.That(Schemas().Where(schema => schema.Schema.TryGetProperty("properties", out _)), Is.Not.Empty);
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task The_served_document_is_the_one_written_at_build()
    {
        var served = JsonDocument.Parse(await api.AnonymousClient().GetStringAsync("/openapi/v1.json")).RootElement;
        Assert.That(JsonElement.DeepEquals(served, document), "Build the service and commit docs/openapi/v1.json.");
    }

    [Test]
    public async Task The_document_is_built_once_and_not_sent_again_to_a_client_that_has_it()
    {
        var contract = api.Services.GetRequiredService<ServedContract>();
        var made = await contract.GetAsync();
        Assert.That((await contract.GetAsync()).Json, Is.SameAs(made.Json));

        using var first = await api.AnonymousClient().GetAsync("/openapi/v1.json");
        using var again = new HttpRequestMessage(HttpMethod.Get, "/openapi/v1.json");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await api.AnonymousClient().SendAsync(again);
        Assert.That(((int)second.StatusCode, await second.Content.ReadAsStringAsync()), Is.EqualTo((304, "")));
    }

    [Test]
    public void The_document_is_of_OpenAPI_3_1() =>
        Assert.That(document.GetProperty("openapi").GetString(), Does.StartWith("3.1."));

    [Test]
    public void Every_tag_is_said_by_a_module_and_used()
    {
        var used = document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject())
            .SelectMany(call => call.Value.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString())).ToHashSet();

        Assert.That(
            document.GetProperty("tags").EnumerateArray().Select(tag => tag.GetProperty("name").GetString()), Is.EquivalentTo(used));
    }

    [Test]
    public async Task The_linter_finds_nothing_in_the_document_or_its_examples()
    {
        var (code, output) = await LintAsync(Written);
        Assert.That(code, Is.Zero, output);
    }

    [Test]
    public async Task Lint_sees_an_example_that_does_not_fit()
    {
        var broken = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(
            broken, File.ReadAllText(Written).Replace("\"displayName\": \"Anna Berg\"", "\"displayName\": 7", StringComparison.Ordinal));
        var (code, _) = await LintAsync(broken);
        File.Delete(broken);
        Assert.That(code, Is.Not.Zero);
    }

    [Test]
    public void Every_call_has_a_name_a_summary_and_says_how_it_refuses() => Assert.Multiple(() =>
    {
        foreach (var (name, operation) in Operations())
        {
            Assert.That(operation.TryGetProperty("operationId", out _), $"{name} has no name: add WithName.");
            Assert.That(operation.TryGetProperty("summary", out _), $"{name} has no summary: add WithSummary.");
            Assert.That(operation.GetProperty("responses").EnumerateObject().Count(r => r.Name[0] == '4'), Is.Positive, name);
            Assert.That(operation.GetProperty("responses").EnumerateObject().Count(r => r.Name[0] == '2'), Is.Positive, name);
        }
    });

    [Test]
    public void Names_of_calls_are_unique() =>
        Assert.That(Operations().Select(call => call.Operation.GetProperty("operationId").GetString()), Is.Unique);

    [Test]
    public void Every_JSON_body_has_an_example() => Assert.Multiple(() =>
    {
        foreach (var (name, operation) in Operations())
        {
            foreach (var body in Bodies(operation))
                Assert.That(body.TryGetProperty("example", out _) || body.TryGetProperty("examples", out _), name);
        }
    });

    [Test]
    public void Every_example_fits_its_schema() => Assert.Multiple(() =>
    {
        var examples = Examples(document).ToList();
        Assert.That(examples, Has.Count.GreaterThan(200));
        foreach (var (schema, example) in examples)
            Assert.That(Contract.Served.Misfit(schema, example), Is.Null, $"{example} as {schema}");
    });

    [Test]
    public void Every_object_that_names_members_names_them_all() => Assert.Multiple(() =>
    {
        foreach (var (name, schema) in Schemas().Where(schema => schema.Schema.TryGetProperty("properties", out _)))
            Assert.That(schema.TryGetProperty("additionalProperties", out var others) && others.ValueKind is JsonValueKind.False, name);
    });

    [Test]
    public void Every_member_says_its_type() => Assert.Multiple(() =>
    {
        foreach (var (name, schema) in Schemas().Where(schema => schema.Schema.TryGetProperty("properties", out _)))
        {
            foreach (var member in schema.GetProperty("properties").EnumerateObject())
                Assert.That(
                    Types.Any(type => member.Value.TryGetProperty(type, out _)), $"{name}.{member.Name} may be anything.");
        }
    });

    [Test]
    public void The_host_s_own_objects_may_have_any_member() => Assert.Multiple(() =>
    {
        foreach (var (name, schema) in Schemas().Where(schema => schema.Schema.TryGetProperty("properties", out _)))
        {
            foreach (var member in schema.GetProperty("properties").EnumerateObject().Where(member => member.Name == "metadata"))
                Assert.That(member.Value.TryGetProperty("additionalProperties", out _), name);
        }
    });

    [TestCase("ConversationPatch", "name")]
    [TestCase("WebhookPatch", "url")]
    public void A_member_of_a_patch_that_null_does_not_clear_is_not_nullable(string schema, string member) =>
        Assert.That(
            document.GetProperty("components").GetProperty("schemas").GetProperty(schema).GetProperty("properties").GetProperty(member)
                .GetProperty("type").ToString(),
            Is.EqualTo("string"));

    [Test]
    public void No_referenced_schema_allows_null_itself() => Assert.Multiple(() =>
    {
        foreach (var (name, schema) in Schemas())
            Assert.That(
                schema.TryGetProperty("type", out var type) && type.ToString().Contains("null", StringComparison.Ordinal), Is.False, name);
    });

    [TestCase("/v1/users", "ids")]
    [TestCase("/v1/users/search", "q")]
    [TestCase("/v1/presence", "ids")]
    public void A_parameter_that_cannot_be_left_out_is_required(string path, string parameter) =>
        Assert.That(
            document.GetProperty("paths").GetProperty(path).GetProperty("get").GetProperty("parameters").EnumerateArray()
                .Single(p => p.GetProperty("name").GetString() == parameter).TryGetProperty("required", out var required)
                && required.GetBoolean());

    [TestCase("/docs/index.html")]
    [TestCase("/docs/index.js")]
    [TestCase("/docs/swagger-ui.css")]
    public async Task The_document_can_be_browsed(string path)
    {
        using var response = await api.AnonymousClient().GetAsync(path);
        Assert.Multiple(() =>
        {
            Assert.That((int)response.StatusCode, Is.EqualTo(200));
            Assert.That(response.Headers.GetValues("Content-Security-Policy").Single(), Does.Contain("script-src 'self'"));
        });
    }

    IEnumerable<(string Name, JsonElement Operation)> Operations() =>
        from path in document.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        where Methods.Contains(operation.Name)
        select ($"{operation.Name.ToUpperInvariant()} {path.Name}", operation.Value);

    IEnumerable<(string Name, JsonElement Schema)> Schemas() =>
        document.GetProperty("components").GetProperty("schemas").EnumerateObject().Select(schema => (schema.Name, schema.Value));

    // Of bodies, parameters and headers beside their schema, of schemas within it.
    IEnumerable<(JsonElement Schema, JsonElement Example)> Examples(JsonElement part)
    {
        if (part.ValueKind is JsonValueKind.Array)
            return part.EnumerateArray().SelectMany(Examples);
        if (part.ValueKind is not JsonValueKind.Object)
            return [];
        var own = part.TryGetProperty("schema", out var schema)
            ? OwnExamples(part).Select(example => (schema, example))
            : part.TryGetProperty("type", out var type) && type.ValueKind is not JsonValueKind.Object
                && part.TryGetProperty("examples", out var examples)
                ? examples.EnumerateArray().Select(example => (part, example))
                : [];
        return own.Concat(part.EnumerateObject().Where(member => member.Name is not ("example" or "examples"))
            .SelectMany(member => Examples(member.Value)));
    }

    IEnumerable<JsonElement> OwnExamples(JsonElement part)
    {
        if (part.TryGetProperty("example", out var example))
            return [example];
        return part.TryGetProperty("examples", out var examples)
            ? examples.EnumerateObject().Select(named => document.GetProperty("components").GetProperty("examples")
                .GetProperty(named.Value.GetProperty("$ref").GetString()!.Split('/')[^1]).GetProperty("value"))
            : [];
    }

    static IEnumerable<JsonElement> Bodies(JsonElement operation)
    {
        var parts = operation.GetProperty("responses").EnumerateObject().Select(response => response.Value);
        if (operation.TryGetProperty("requestBody", out var request))
            parts = parts.Append(request);
        return parts.Where(part => part.TryGetProperty("content", out _)).SelectMany(part => part.GetProperty("content").EnumerateObject())
            .Select(content => content.Value);
    }

    static async Task<(int Code, string Output)> LintAsync(string file)
    {
        var client = Repository.File("tests/Messaging.EndToEnd.Tests/client");
        var linter = Path.Combine(client, "node_modules", "@redocly", "cli", "bin", "cli.js");
        Assert.That(File.Exists(linter), $"Run npm ci in {client} first; ./test.sh does.");
        using var process = Process.Start(
            new ProcessStartInfo("node", [linter, "lint", "--config", Path.Combine(client, "redocly.yaml"), file])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["REDOCLY_TELEMETRY"] = "off" },
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }
}
