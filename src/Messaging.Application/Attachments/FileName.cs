using System.Globalization;
using System.Text;
using Messaging.Application.Common;

namespace Messaging.Application.Attachments;

/// <summary>Makes of what an uploader calls a file a name that is safe on every system, and that does not promise another type.</summary>
public static class FileName
{
    private const int MaxLength = 150;
    private const string Unsafe = "\"*/:<>?\\|";

    /// <summary>The last part of a path, without signs that some system reads, and with an extension of the type.</summary>
    public static string Of(string? given, FileType type)
    {
        var last = (given ?? "").Split('/', '\\')[^1];
        var name = new StringBuilder();
        foreach (var rune in last.EnumerateRunes())
        {
            var isHidden =
                Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned;
            if (!isHidden && rune != Rune.ReplacementChar)
                name.Append(rune.IsAscii && Unsafe.Contains((char)rune.Value, StringComparison.Ordinal) ? "_" : rune.ToString());
        }
        var plain = name.ToString().Trim().TrimStart('.').TrimEnd('.', ' ');
        var extension = Path.GetExtension(plain).TrimStart('.').ToLowerInvariant();
        var stem = plain.Length == 0 ? "file" : plain;
        if (Fits(extension, type))
            return stem.Length <= MaxLength
                ? stem : $"{StrictText.First(Path.GetFileNameWithoutExtension(stem), MaxLength - 20)}.{extension}";
        return $"{StrictText.First(stem, MaxLength - 20)}.{type.Extension}";
    }

    // What nothing is known of keeps the extension that it came with.
    private static bool Fits(string extension, FileType type) =>
        extension.Length is > 0 and <= 10 && (extension == type.Extension || type.Extension switch
    {
        "jpg" => extension is "jpeg" or "jpe" or "jfif",
        "tiff" => extension is "tif",
        "html" => extension is "htm",
        "mp4" => extension is "m4v" or "m4a",
        "ogg" => extension is "oga" or "ogv" or "opus",
        "webm" => extension is "mkv" or "weba",
        "txt" => extension is "log" or "md" or "csv" or "json" or "xml" or "yml" or "yaml" or "ini",
        "zip" => extension is "docx" or "xlsx" or "pptx" or "odt" or "ods" or "odp" or "epub" or "jar" or "apk",
        "doc" => extension is "xls" or "ppt" or "msg",
        "bin" => true,
        _ => false,
    });
}
