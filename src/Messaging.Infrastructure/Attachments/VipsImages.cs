using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;

namespace Messaging.Infrastructure.Attachments;

/// <summary>
/// Makes the sizes of images with libvips in a process of its own, which has little memory and time: what breaks or bursts there breaks
/// nothing here.
/// </summary>
public sealed class VipsImages : IImageMaker, IAsyncDisposable
{
    private const int MaxMegapixels = 40;
    private const int MaxMegapixelsOfFrames = 160;
    private const int Million = 1_000_000;
    private const int AsItIs = 100_000;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);
    private static readonly (string Variant, int Pixels, int Quality)[] Sizes =
        [(StoredFile.Original, AsItIs, 85), (StoredFile.Medium, 800, 80), (StoredFile.Thumbnail, 300, 75)];

    private readonly UserQueue turns = new(atOnce: 2, Timeout);

    public VipsImages() => IsAvailable = OperatingSystem.IsLinux() && IsInstalled("vips") && IsInstalled("prlimit");

    public bool IsAvailable { get; }

    public async Task<IReadOnlyList<ImageVariant>> MakeAsync(UserId user, string path, FileType type, string folder, CancellationToken ct)
    {
        using var turn = await turns.TryTakeAsync(user, ct) ?? throw AttachmentErrors.DecoderBusy();
        return await MakeAsync(path, type, folder, ct);
    }

    public ValueTask DisposeAsync() => turns.DisposeAsync();

    private static async Task<IReadOnlyList<ImageVariant>> MakeAsync(string path, FileType type, string folder, CancellationToken ct)
    {
        await EnsureSizeAsync(path, ct);
        var made = new List<ImageVariant>();
        foreach (var (variant, pixels, quality) in Sizes)
            made.Add(await MakeAsync(path, type, Path.Combine(folder, variant), variant, pixels, quality, ct));
        return made;
    }

    // Before anything is decoded.
    private static async Task EnsureSizeAsync(string path, CancellationToken ct)
    {
        var header = await HeaderAsync(path, ct);
        var pixels = header.Width * header.Height;
        if (pixels > MaxMegapixels * (long)Million)
            throw AttachmentErrors.TooManyPixels(MaxMegapixels);
        if (pixels * header.Pages > MaxMegapixelsOfFrames * (long)Million)
            throw AttachmentErrors.TooManyPixels(MaxMegapixelsOfFrames);
    }

    private static async Task<ImageVariant> MakeAsync(
        string path, FileType type, string target, string variant, int pixels, int quality, CancellationToken ct)
    {
        var moves = type.Extension == "gif";
        var (source, output) = (moves ? $"{path}[n=-1]" : path, $"{target}.{type.Extension}");
        // What writes WebP keeps metadata that PNG leaves out.
        var made = type.Extension switch
        {
            "jpg" => $"{output}[Q={quality},strip]",
            "webp" => $"{target}.png[strip,compression=1]",
            _ => $"{output}[strip]",
        };
        var size = pixels.ToString(CultureInfo.InvariantCulture);
        string[] crop = variant == StoredFile.Thumbnail ? ["--crop", "centre"] : ["--size", "down"];
        // What moves cannot be cut: its first frame is.
        source = variant == StoredFile.Thumbnail ? path : source;
        await RunAsync(
            ["vips", "thumbnail", source, made, size, "--height", size, .. crop, "--export-profile", "srgb", "--fail-on", "truncated"], ct);
        if (type.Extension == "webp")
        {
            await RunAsync(
                ["vips", "webpsave", $"{target}.png", output, "--Q", quality.ToString(CultureInfo.InvariantCulture), "--strip"], ct);
            await WebP.RemoveMetadataAsync(output, ct);
        }
        var header = await HeaderAsync(output, ct);
        return new ImageVariant(variant, output, (int)header.Width, (int)header.Height);
    }

    private static async Task<(long Width, long Height, long Pages)> HeaderAsync(string path, CancellationToken ct)
    {
        var fields = (await RunAsync(["vipsheader", "-a", path], ct)).Split('\n').Select(line => line.Split(": ", 2))
            .Where(parts => parts.Length == 2).GroupBy(parts => parts[0]).ToDictionary(group => group.Key, group => group.First()[1]);
        return (Number("width"), Number("height"), fields.ContainsKey("n-pages") ? Number("n-pages") : 1);

        long Number(string name) =>
            long.TryParse(fields.GetValueOrDefault(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw AttachmentErrors.Undecodable();
    }

    private static async Task<string> RunAsync(string[] command, CancellationToken ct)
    {
        var start = new ProcessStartInfo("prlimit")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in (string[])["--as=450000000", "--cpu=5", "--fsize=200000000", "--core=0", "--", .. command])
            start.ArgumentList.Add(argument);
        // Nothing of this process's own is told to it.
        start.Environment.Clear();
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH");
        start.Environment["VIPS_BLOCK_UNTRUSTED"] = "1";
        start.Environment["VIPS_CONCURRENCY"] = "1";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timeout.CancelAfter(Timeout);
        try
        {
            var errors = process.StandardError.ReadToEndAsync(timeout.Token);
            var output = await process.StandardOutput.ReadToEndAsync(timeout.Token);
            await errors;
            await process.WaitForExitAsync(timeout.Token);
            return process.ExitCode == 0 ? output : throw AttachmentErrors.Undecodable();
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw AttachmentErrors.Undecodable();
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static bool IsInstalled(string program)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, "--version")
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
