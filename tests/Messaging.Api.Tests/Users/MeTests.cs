using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;

namespace Messaging.Api.Tests.Users;

public sealed class MeTests
{
    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task One_sees_ones_profile_and_the_limits_in_force()
    {
        var me = await api.ClientFor("anna").GetFromJsonAsync<JsonElement>("/v1/me");

        Assert.That(me.GetProperty("userId").GetString(), Is.EqualTo("anna"));
        Assert.That(
            me.GetProperty("limits").GetRawText(),
            Is.EqualTo(
                """{"groupSize":300,"textLength":10000,"attachmentsPerMessage":5"""
                + ""","imageBytes":10485760,"fileBytes":26214400,"metadataBytes":16384}"""));
    }

    [TestCase("application/json")]
    [TestCase("application/merge-patch+json")]
    public async Task Absent_keeps_and_null_clears(string contentType)
    {
        var user = "patch-" + contentType.Length;
        await PatchAsync(user, """{"displayName":"Anna","firstName":"A","lastName":"B","avatarUrl":"https://host.test/a"}""");

        using var response = await PatchAsync(user, """{"firstName":null,"lastName":"C"}""", contentType);
        var me = await response.JsonAsync();

        Assert.That(
            new[] { "displayName", "firstName", "lastName", "avatarUrl" }.Select(member => me.GetProperty(member).GetString()),
            Is.EqualTo(new[] { "Anna", null, "C", "https://host.test/a" }));
    }

    [TestCase("""{"userId":"bert"}""", "#/userId")]
    [TestCase("""{"username":"bert"}""", "#/username")]
    [TestCase("""{"displayName":"a","displayName":"b"}""", "#/displayName")]
    [TestCase("""{"displayName":"a\u0000"}""", "#/displayName")]
    [TestCase("""{"displayName":"\ud800"}""", "#/displayName")]
    [TestCase("""{"avatarUrl":"x"}""", "#/avatarUrl")]
    [TestCase("""{"metadata":"x"}""", "#/metadata")]
    [TestCase("""{"metadata":{"a":1,"a":2}}""", "#/metadata")]
    public async Task A_patch_that_is_wrong_is_refused_with_its_pointer(string patch, string pointer) =>
        Assert.That(await PatchAsync("anna", patch).PointersAsync(), Is.EqualTo(pointer));

    [Test]
    public async Task Another_content_type_is_refused() =>
        Assert.That(await PatchAsync("anna", "{}", "text/plain").OutcomeAsync(), Is.EqualTo("415 unsupported-media"));

    Task<HttpResponseMessage> PatchAsync(string user, string patch, string contentType = "application/json") =>
        api.ClientFor(user).PatchAsync("/v1/me", new StringContent(patch, Encoding.UTF8, contentType));
}
