using System.Text;
using System.Text.Json;

namespace Messaging.Api.Tests.Attachments;

public sealed class ImageTests : AttachmentFixture
{
    [TestCase("jpg", "image/jpeg")]
    [TestCase("png", "image/png")]
    [TestCase("webp", "image/webp")]
    [TestCase("gif", "image/gif")]
    public async Task An_image_comes_in_three_sizes(string extension, string type)
    {
        var (ada, _, group) = await PeopleAsync();

        var uploaded = await UploadAsync(ada, group, await ImageAsync(1200, 600, extension), $"photo.{extension}", type);

        Assert.That(
            (uploaded.GetProperty("category").GetString(), uploaded.GetProperty("contentType").GetString(),
                uploaded.GetProperty("width").GetInt32(), uploaded.GetProperty("height").GetInt32()),
            Is.EqualTo(("image", type, 1200, 600)));
        foreach (var (variant, width, height) in new[] { ("original", 1200, 600), ("medium", 800, 400), ("thumbnail", 300, 300) })
        {
            var made = uploaded.GetProperty("variants").GetProperty(variant);
            var file = await GetFileAsync(made.GetProperty("url").GetString()!);
            Assert.That(
                (made.GetProperty("width").GetInt32(), made.GetProperty("height").GetInt32()), Is.EqualTo((width, height)), variant);
            Assert.That((file.Content.Headers.ContentType!.MediaType, file.Content.Headers.ContentDisposition!.DispositionType),
                Is.EqualTo((type, "inline")));
            Assert.That((await file.Content.ReadAsByteArrayAsync()).Length, Is.GreaterThan(100));
        }
        Assert.That((await SendFilesAsync(ada, group, "image", Id(uploaded))).GetProperty("type").GetString(), Is.EqualTo("image"));
    }

    [TestCase("jpg")]
    [TestCase("webp")]
    [TestCase("png")]
    public async Task An_image_is_turned_upright_and_loses_its_metadata(string extension)
    {
        var (ada, _, group) = await PeopleAsync();
        var taken = WithExif(await ImageAsync(200, 100, "jpg"), "Mallory Photographer");
        var image = extension == "jpg" ? taken : await ConvertAsync(taken, "jpg", extension);
        Assert.That(Encoding.Latin1.GetString(image), Does.Contain("Mallory"));

        var uploaded = await UploadAsync(ada, group, image, $"photo.{extension}");

        Assert.That((uploaded.GetProperty("width").GetInt32(), uploaded.GetProperty("height").GetInt32()), Is.EqualTo((100, 200)));
        foreach (var variant in new[] { "original", "medium", "thumbnail" })
        {
            var file = await GetFileAsync(uploaded.GetProperty("variants").GetProperty(variant).GetProperty("url").GetString()!);
            var bytes = Encoding.Latin1.GetString(await file.Content.ReadAsByteArrayAsync());
            Assert.That(bytes, Does.Not.Contain("Mallory").And.Not.Contain("Exif\0").And.Not.Contain("EXIF"), variant);
        }
    }

    [Test]
    public async Task A_moving_image_goes_on_moving()
    {
        var (ada, _, group) = await PeopleAsync();

        var uploaded = await UploadAsync(ada, group, await MovingAsync(frames: 3), "moving.gif");

        Assert.That((uploaded.GetProperty("width").GetInt32(), uploaded.GetProperty("height").GetInt32()), Is.EqualTo((1000, 500)));
        foreach (var variant in new[] { "original", "medium" })
        {
            var file = await GetFileAsync(uploaded.GetProperty("variants").GetProperty(variant).GetProperty("url").GetString()!);
            Assert.That(FramesOf(await file.Content.ReadAsByteArrayAsync()), Is.EqualTo(3), variant);
        }
    }

    [Test]
    public async Task An_image_of_too_many_pixels_is_refused_before_it_is_decoded()
    {
        var (ada, _, group) = await PeopleAsync();

        Assert.That(
            await RefusalAsync(TryUploadAsync(ada, group, HugePng(60_000, 60_000), "bomb.png")), Is.EqualTo("413 too-large #/file"));
        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, HugePng(8_000, 5_001), "bomb.png")), Is.EqualTo("413 too-large #/file"));
    }

    [Test]
    public async Task A_damaged_image_is_refused()
    {
        var (ada, _, group) = await PeopleAsync();
        var image = await ImageAsync(400, 400, "jpg");

        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, image[..(image.Length / 2)], "half.jpg")),
            Is.EqualTo("422 undecodable-file #/file"));
        Assert.That(
            await RefusalAsync(TryUploadAsync(ada, group, HugePng(100, 100), "empty.png")), Is.EqualTo("422 undecodable-file #/file"));
        Assert.That(await RefusalAsync(TryUploadAsync(ada, group, [0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 3], "no.jpg")),
            Is.EqualTo("422 undecodable-file #/file"));
    }

    [Test]
    public async Task Bytes_hidden_behind_an_image_are_removed()
    {
        var (ada, _, group) = await PeopleAsync();
        byte[] polyglot = [.. await ImageAsync(50, 50, "gif"), .. "<script>alert(1)</script>PK\u0003\u0004"u8];

        var uploaded = await UploadAsync(ada, group, polyglot, "polyglot.gif", "image/gif");

        Assert.That(
            await (await GetFileAsync(Url(uploaded))).Content.ReadAsStringAsync(), Does.StartWith("GIF8").And.Not.Contain("<script>"));
    }

    private static async Task<byte[]> MovingAsync(int frames)
    {
        var tall = await ImageAsync(1000, 500 * frames, "png");
        return await ConvertAsync(tall, "png", "gif", "gifsave", "--page-height", "500");
    }

    private static int FramesOf(byte[] gif)
    {
        var frames = 0;
        for (var i = 0; i + 9 < gif.Length; i++)
            frames += gif[i] == 0x21 && gif[i + 1] == 0xF9 && gif[i + 2] == 4 && gif[i + 7] == 0 && gif[i + 8] == 0x2C ? 1 : 0;
        return frames;
    }

    // A header that promises more than there is.
    private static byte[] HugePng(int width, int height)
    {
        byte[] header = [.. "IHDR"u8, .. BigEndian(width), .. BigEndian(height), 8, 2, 0, 0, 0];
        return [0x89, .. "PNG\r\n\u001a\n"u8, .. BigEndian(13), .. header, .. BigEndian((int)Crc(header)), .. BigEndian(0), .. "IDAT"u8,
            .. BigEndian((int)Crc("IDAT"u8)), .. BigEndian(0), .. "IEND"u8, .. BigEndian((int)Crc("IEND"u8))];
    }

    private static byte[] BigEndian(int number) => [(byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number];

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = 0xFFFFFFFF;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB88320;
        }
        return ~crc;
    }
}
