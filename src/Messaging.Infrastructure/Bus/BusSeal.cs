using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NodaTime;

namespace Messaging.Infrastructure.Bus;

/// <summary>
/// Shows that a payload comes from a node of this installation, was sent just now, and did not come before: by its last line, the time of
/// the database with an HMAC of all. Others may speak on the bus too, and are not listened to.
/// </summary>
public sealed class BusSeal(byte[] key, IClock clock)
{
    /// <summary>What it adds to a payload, in bytes.</summary>
    public const int Length = StampLength + 1 + MacLength;

    private const int StampLength = 6 + StampDigits;
    private const int StampDigits = 16;
    private const int MacLength = 2 * HMACSHA256.HashSizeInBytes;

    // The bus's own limit, and more than any carrier needs.
    private const int LongestPayload = 8_000;

    // More than PostgreSQL or a broker takes on a bad day, and than nodes differ about the database's time.
    private static readonly Duration Freshness = Duration.FromTimeSpan(BusQueue.Silence);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Instant> last = new(StringComparer.Ordinal);
    private Instant sealedAt = Instant.MinValue;

    public string Seal(string payload)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{payload}\nseal {Next().ToUnixTimeTicks():x16}");
        return $"{text} {Mac(Encoding.UTF8.GetBytes(text))}";
    }

    /// <summary>The payload; null if it must not be listened to, which is counted.</summary>
    public string? Open(ReadOnlySpan<byte> wire)
    {
        if (wire.Length > LongestPayload)
            return Drop("oversized");
        if (wire.Length <= Length || !IsOurs(wire))
            return Drop("unsigned");
        var stamp = long.Parse(wire[..^(1 + MacLength)][^StampDigits..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var payload = Encoding.UTF8.GetString(wire[..^Length]);
        var node = payload.Split('\n', 2)[0];
        return IsNew(node, Instant.FromUnixTimeTicks(stamp)) ? payload : Drop("stale");
    }

    private static string? Drop(string reason)
    {
        BusMetrics.Drop(reason);
        return null;
    }

    private bool IsOurs(ReadOnlySpan<byte> wire) => CryptographicOperations.FixedTimeEquals(
        Encoding.ASCII.GetBytes($" {Mac(wire[..^(1 + MacLength)])}"), wire[^(1 + MacLength)..]);

    private string Mac(ReadOnlySpan<byte> text) => Convert.ToHexStringLower(HMACSHA256.HashData(key, text));

    // Each payload's own, unless the database's clock was set back: then what was before counts for nothing.
    private Instant Next()
    {
        lock (gate)
        {
            var now = clock.GetCurrentInstant();
            return sealedAt = now <= sealedAt && IsFresh(sealedAt, now) ? sealedAt + Duration.FromTicks(1) : now;
        }
    }

    private bool IsNew(string node, Instant stamp)
    {
        lock (gate)
        {
            var now = clock.GetCurrentInstant();
            if (!IsFresh(stamp, now))
                return false;
            if (last.TryGetValue(node, out var before))
            {
                if (stamp <= before && IsFresh(before, now))
                    return false;
            }
            else
            {
                foreach (var (gone, at) in last)
                {
                    if (!IsFresh(at, now))
                        last.Remove(gone);
                }
            }
            last[node] = stamp;
            return true;
        }
    }

    private static bool IsFresh(Instant stamp, Instant now) => stamp - now <= Freshness && now - stamp <= Freshness;
}
