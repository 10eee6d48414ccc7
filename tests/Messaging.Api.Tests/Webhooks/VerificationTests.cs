using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Messaging.Domain.Webhooks;
using Messaging.Testing;
using NodaTime;

namespace Messaging.Api.Tests.Webhooks;

/// <summary>What the package of Standard Webhooks for Node says of calls as they come over the wire.</summary>
public sealed class VerificationTests : WebhookClientFixture
{
    private const string NoMatch = "No matching signature found";

    private static readonly string Former = WebhookSecret.New().Reveal();

    private ReceivedCall call = null!;

    [OneTimeSetUp]
    public async Task CallAsync()
    {
        await using var receiver = Receiver.Answering(Receiver.Ok);
        using var client = Client();
        await client.SendAsync(Call(receiver.Url, Secret, Former), CancellationToken.None);
        call = receiver.Calls.Single();
    }

    [Test]
    public async Task The_secret_verifies_a_call() => Assert.That(await VerifyAsync(Secret, call), Is.EqualTo("ok"));

    [Test]
    public async Task The_former_secret_verifies_it_as_well_while_it_is_in_force() =>
        Assert.That(await VerifyAsync(Former, call), Is.EqualTo("ok"));

    [Test]
    public async Task Another_secret_does_not() =>
        Assert.That(await VerifyAsync(WebhookSecret.New().Reveal(), call), Is.EqualTo(NoMatch));

    [Test]
    public async Task Other_bytes_are_not_verified() =>
        Assert.That(await VerifyAsync(Secret, call with { Body = [.. call.Body, (byte)' '] }), Is.EqualTo(NoMatch));

    [Test]
    public async Task A_secret_that_the_caller_brought_verifies_as_well()
    {
        var own = $"whsec_{Convert.ToBase64String(Encoding.UTF8.GetBytes("twenty-four bytes or more"))}";
        await using var receiver = Receiver.Answering(Receiver.Ok);
        using var client = Client();
        await client.SendAsync(Call(receiver.Url, own), CancellationToken.None);

        Assert.That(await VerifyAsync(own, receiver.Calls.Single()), Is.EqualTo("ok"));
    }

    // By the code that docs/integrating.md shows.
    [TestCase(Secret, "ok")]
    [TestCase("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "It is not genuine")]
    public async Task The_documented_code_for_Node_tells_whether_a_call_is_genuine(string secret, string expected)
    {
        var shown = Documented("js");
        var module = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid()}.mjs");
        await File.WriteAllTextAsync(module, shown);

        Assert.That(await VerifyAsync(secret, call, module), Is.EqualTo(expected));
    }

    // The examples are run by tests of their own.
    [TestCase("csharp", "csharp/Program.cs")]
    [TestCase("js", "node/service.mjs")]
    [TestCase("python", "python/service.py")]
    public void The_documented_code_is_that_of_the_example(string language, string example)
    {
        var shown = Documented(language).Split('\n')
            .SkipWhile(line => line.Length == 0 || line.StartsWith("import ", StringComparison.Ordinal));

        Assert.That(File.ReadAllText(Repository.File($"docs/examples/{example}")), Does.Contain(string.Join('\n', shown)));
    }

    private static string Documented(string language) => File.ReadAllText(Repository.File("docs/integrating.md"))
        .Split($"```{language}\n").Skip(1).Select(part => part.Split("```")[0])
        .Single(part => part.Contains("hmac", StringComparison.OrdinalIgnoreCase));

    private static async Task<string> VerifyAsync(string secret, ReceivedCall call, params string[] module)
    {
        var script = Repository.File("tests/Messaging.EndToEnd.Tests/client/verify-webhook.mjs");
        using var node = Process.Start(new ProcessStartInfo("node", [script, .. module])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true,
        })!;
        await node.StandardInput.WriteAsync(JsonSerializer.Serialize(new
        {
            secret,
            body = Encoding.UTF8.GetString(call.Body),
            headers = call.HeaderNames.ToDictionary(name => name.ToLowerInvariant(), call.Header),
        }));
        node.StandardInput.Close();
        var said = await node.StandardOutput.ReadToEndAsync();
        await node.WaitForExitAsync();
        return said.Trim();
    }
}
