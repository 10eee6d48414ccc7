using System.Text;
using Messaging.Application.Attachments;
using Messaging.Domain.Common;

namespace Messaging.Api.Tests.Attachments;

/// <summary>The bytes of each signature, all of them.</summary>
public sealed class FileTypeTests
{
    [TestCase("\u00ff\u00d8\u00ff\u00e0", "image/jpeg")]
    [TestCase("\u0089PNG\r\n\u001a\n", "image/png")]
    [TestCase("GIF87a", "image/gif")]
    [TestCase("GIF89a", "image/gif")]
    [TestCase("RIFF\u0010\0\0\0WEBP", "image/webp")]
    [TestCase("RIFF\u0010\0\0\0WAVE", "audio/wav")]
    [TestCase("RIFF\u0010\0\0\0AVI ", "video/x-msvideo")]
    [TestCase("II*\0", "image/tiff")]
    [TestCase("MM\0*", "image/tiff")]
    [TestCase("\0\0\0\u0018ftypheic\0\0\0\0", "image/heic")]
    [TestCase("\0\0\0\u0018ftypavif\0\0\0\0", "image/avif")]
    [TestCase("\0\0\0\u0018ftypM4A \0\0\0\0", "audio/mp4")]
    [TestCase("\0\0\0\u0014ftypqt  \0\0\0\0", "video/quicktime")]
    [TestCase("\0\0\0\u00183gp", "application/octet-stream")]
    [TestCase("\0\0\0\u0018ftyp3gp4\0\0\0\0", "video/3gpp")]
    [TestCase("\0\0\0\u0018ftypisom\0\0\0\0", "video/mp4")]
    [TestCase("\u001aE\u00df\u00a3\u0093B\u0082\u0084webm", "video/webm")]
    [TestCase("\u001aE\u00df\u00a3\u0093B\u0082\u0088matroska", "video/x-matroska")]
    [TestCase("OggS\0\u0002", "audio/ogg")]
    [TestCase("ID3\u0004\0\0", "audio/mpeg")]
    [TestCase("\u00ff\u00fb\u0090\0", "audio/mpeg")]
    [TestCase("\u00ff\u00f1\u0050\u0080", "audio/mpeg", TestName = "The frames of AAC begin likewise")]
    [TestCase("fLaC\0\0\0\"", "audio/flac")]
    [TestCase("#!AMR\n", "audio/amr")]
    [TestCase("%PDF-1.7", "application/pdf")]
    [TestCase("\u00d0\u00cf\u0011\u00e0\u00a1\u00b1\u001a\u00e1", "application/x-ole-storage")]
    [TestCase("PK\u0003\u0004", "application/zip")]
    [TestCase("\u001f\u008b\u0008", "application/gzip")]
    [TestCase("7z\u00bc\u00af\u0027\u001c", "application/x-7z-compressed")]
    [TestCase("Rar!\u001a\u0007\0", "application/vnd.rar")]
    [TestCase("Rar!\u001a\u0007\u0001\0", "application/vnd.rar")]
    public void A_signature_tells_the_type(string head, string type) =>
        Assert.That(FileType.Of(Encoding.Latin1.GetBytes(head), null).ContentType, Is.EqualTo(type));

    [TestCase("\u00ff\u00d8", "image/jpeg")]
    [TestCase("\u0089PNG\r\n", "image/png")]
    [TestCase("GIF88a", "image/gif")]
    [TestCase("RIFX\u0010\0\0\0WEBP", "image/webp")]
    [TestCase("<!-- -->WEBP", "image/webp")]
    [TestCase("<!-- -->WAVE", "audio/wav")]
    [TestCase("<!-- -->AVI ", "video/x-msvideo")]
    [TestCase("RIFF\u0010\0\0\0", "audio/wav")]
    [TestCase("<!--ftypisom-->", "video/mp4")]
    [TestCase("<!--ftypheic-->", "image/heic")]
    [TestCase("\0\0\0\u0018ftyp", "video/mp4")]
    [TestCase("\u001aE\u00df\u00a3\u0093B\u0082\u0083doc", "video/webm")]
    [TestCase("OggS of text", "audio/ogg")]
    [TestCase("ID3 of text", "audio/mpeg")]
    [TestCase("\u00ff\u00fb\u00f0\0", "audio/mpeg", TestName = "No bit rate of MPEG")]
    [TestCase("\u00ff\u00eb\u0090\0", "audio/mpeg", TestName = "No version of MPEG")]
    [TestCase("#!AMRELESS", "audio/amr")]
    [TestCase("%PDF", "application/pdf")]
    [TestCase("PK\u0003", "application/zip")]
    [TestCase("\u001f\u008b\0", "application/gzip")]
    [TestCase("7z\u00bc\u00af", "application/x-7z-compressed")]
    [TestCase("Rar! of text", "application/vnd.rar")]
    public void A_part_of_a_signature_is_none(string head, string type) =>
        Assert.That(
            () => FileType.Of(Encoding.Latin1.GetBytes(head), type),
            Throws.TypeOf<RuleException>().With.Property("Problem").Property("Code").EqualTo(ProblemCodes.UnsupportedMedia));
}
