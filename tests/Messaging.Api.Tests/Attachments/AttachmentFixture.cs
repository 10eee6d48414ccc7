using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Tests.Realtime;

namespace Messaging.Api.Tests.Attachments;

/// <summary>Uploads files as clients do, and makes some with libvips.</summary>
public abstract class AttachmentFixture : HubFixture
{
    protected static byte[] Pdf { get; } = [.. "%PDF-1.4 "u8, .. new byte[1000]];

    protected async Task<(string Ada, string Bob, string Group)> PeopleAsync()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        return (ada, bob, await GroupAsync(ada, bob));
    }

    protected async Task<HttpResponseMessage> TryUploadAsync(
        string user, string? conversation, byte[]? file, string? name = "file", string? type = null,
        params (string Name, string Value)[] parts)
    {
        using var form = new MultipartFormDataContent();
        if (conversation is not null)
            form.Add(new StringContent(conversation), "conversationId");
        foreach (var part in parts)
            form.Add(new StringContent(part.Value), part.Name);
        if (file is not null)
        {
            var content = new ByteArrayContent(file);
            if (type is not null)
                content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
            form.Add(content, "file", name!);
        }
        return await Api.ClientFor(user).PostAsync("/v1/attachments", form);
    }

    protected async Task<JsonElement> UploadAsync(
        string user, string conversation, byte[] file, string name = "file", string? type = null,
        params (string Name, string Value)[] parts)
    {
        var answer = await TryUploadAsync(user, conversation, file, name, type, parts);
        Assert.That((int)answer.StatusCode, Is.EqualTo(201), await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    protected static async Task<string> RefusalAsync(Task<HttpResponseMessage> call)
    {
        var answer = await call;
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();
        var pointer = problem.TryGetProperty("errors", out var errors) && errors.ValueKind is JsonValueKind.Array
            ? errors[0].GetProperty("pointer").GetString() : null;
        return $"{(int)answer.StatusCode} {problem.GetProperty("code").GetString()} {pointer}".TrimEnd();
    }

    protected Task<HttpResponseMessage> TrySendAsync(string user, string conversation, object message) =>
        Api.ClientFor(user).PostAsJsonAsync($"/v1/conversations/{conversation}/messages", message);

    protected Task<JsonElement> SendFilesAsync(string user, string conversation, string type, params string[] attachmentIds) =>
        PostAsync(user, $"/v1/conversations/{conversation}/messages", new { type, attachmentIds });

    protected static string Id(JsonElement attachment) => attachment.GetProperty("id").GetString()!;

    protected static string Url(JsonElement attachment) => attachment.GetProperty("url").GetString()!;

    protected async Task<HttpResponseMessage> GetFileAsync(string url, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await Api.AnonymousClient().SendAsync(request);
    }

    /// <summary>An image of libvips' own making, in the format of the extension.</summary>
    protected static async Task<byte[]> ImageAsync(int width, int height, string extension, params string[] options)
    {
        var folder = Directory.CreateTempSubdirectory("messaging-images-");
        try
        {
            var file = Path.Combine(folder.FullName, $"image.{extension}");
            await VipsAsync(["gaussnoise", $"{file}[{string.Join(',', options)}]", $"{width}", $"{height}"], folder.FullName);
            return await File.ReadAllBytesAsync(file);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    protected static async Task<byte[]> ConvertAsync(byte[] image, string from, string to, params string[] command)
    {
        var folder = Directory.CreateTempSubdirectory("messaging-images-");
        try
        {
            var (source, target) = (Path.Combine(folder.FullName, $"in.{from}"), Path.Combine(folder.FullName, $"out.{to}"));
            await File.WriteAllBytesAsync(source, image);
            await VipsAsync([.. command.Length == 0 ? ["copy"] : command[..1], source, target, .. command.Skip(1)], folder.FullName);
            return await File.ReadAllBytesAsync(target);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task VipsAsync(string[] arguments, string folder)
    {
        using var process = Process.Start(new ProcessStartInfo("vips", arguments) { WorkingDirectory = folder, UseShellExecute = false })!;
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, string.Join(' ', arguments));
    }

    /// <summary>A JPEG that says of itself that it was taken sideways, where, and by whom.</summary>
    protected static byte[] WithExif(byte[] jpeg, string artist)
    {
        var text = System.Text.Encoding.ASCII.GetBytes(artist + "\0");
        byte[] tiff =
        [
            .. "II*\0"u8, 8, 0, 0, 0, 2, 0,
            0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0,
            0x3B, 0x01, 2, 0, (byte)text.Length, 0, 0, 0, 38, 0, 0, 0,
            0, 0, 0, 0, .. text,
        ];
        byte[] segment = [.. "Exif\0\0"u8, .. tiff];
        return [0xFF, 0xD8, 0xFF, 0xE1, (byte)((segment.Length + 2) >> 8), (byte)(segment.Length + 2), .. segment, .. jpeg.AsSpan(2)];
    }
}
