using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Messaging.Application.Common;

/// <summary>
/// Unicode's canonical composition (UAX #15, form C). The runtime's own does nothing where it runs without the system's culture data, as
/// this service does everywhere: no package brings ICU along, and a service should not need the system's to start.
/// </summary>
public static class Nfc
{
    // Hangul syllables are composed by arithmetic: 19 leading consonants, 21 vowels, 27 trailing consonants or none.
    private const int Syllables = 0xac00;
    private const int Leading = 0x1100;
    private const int Vowels = 0x1161;
    private const int Trailing = 0x11a7;
    private const int VowelCount = 21;
    private const int TrailingCount = 28;
    private const int LeadingCount = 19;
    private const int SyllableCount = LeadingCount * VowelCount * TrailingCount;

    private static readonly Tables Data = Tables.Read();

    /// <summary>The text in form C; text of ASCII alone comes back as it is.</summary>
    /// <param name="text">Without halves of surrogate pairs.</param>
    public static string Of(string text)
    {
        if (Ascii.IsValid(text))
            return text;
        var points = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
            Decompose(rune.Value, points);
        Order(points);
        var composed = new StringBuilder(text.Length);
        foreach (var point in Compose(points))
            composed.Append(new Rune(point));
        return composed.ToString();
    }

    private static void Decompose(int point, List<int> into)
    {
        var syllable = point - Syllables;
        if (syllable is >= 0 and < SyllableCount)
        {
            into.Add(Leading + (syllable / (VowelCount * TrailingCount)));
            into.Add(Vowels + (syllable / TrailingCount % VowelCount));
            if (syllable % TrailingCount is > 0 and var trailing)
                into.Add(Trailing + trailing);
        }
        else if (Data.Parts.TryGetValue(point, out var parts))
        {
            foreach (var part in parts)
                Decompose(part, into);
        }
        else
        {
            into.Add(point);
        }
    }

    // Marks on one letter stand in the order of their classes; those of one class keep theirs, since OrderBy is stable. However many they
    // are, none is moved one place at a time.
    private static void Order(List<int> points)
    {
        for (var end = 0; end < points.Count; end++)
        {
            var start = end;
            while (end < points.Count && Data.ClassOf(points[end]) > 0)
                end++;
            if (end - start < 2)
                continue;
            foreach (var mark in points.GetRange(start, end - start).OrderBy(Data.ClassOf))
                points[start++] = mark;
        }
    }

    private static List<int> Compose(List<int> points)
    {
        var composed = new List<int>(points.Count);
        var (starter, last) = (-1, 0);
        foreach (var point in points)
        {
            var rank = Data.ClassOf(point);
            // A mark of the same class in between keeps a later one from its letter, and so does a letter.
            if (starter >= 0 && (last < rank || starter == composed.Count - 1) && Pair(composed[starter], point) is { } whole)
            {
                composed[starter] = whole;
                continue;
            }
            if (rank == 0)
                starter = composed.Count;
            last = rank;
            composed.Add(point);
        }
        return composed;
    }

    private static int? Pair(int first, int second)
    {
        if (first is >= Leading and < Leading + LeadingCount && second is >= Vowels and < Vowels + VowelCount)
            return Syllables + ((((first - Leading) * VowelCount) + second - Vowels) * TrailingCount);
        var syllable = first - Syllables;
        if (syllable is >= 0 and < SyllableCount && syllable % TrailingCount == 0 && second is > Trailing and < Trailing + TrailingCount)
            return first + second - Trailing;
        return Data.Wholes.TryGetValue((first, second), out var whole) ? whole : null;
    }

    private sealed record Tables(
        FrozenDictionary<int, int[]> Parts, FrozenDictionary<(int, int), int> Wholes, FrozenDictionary<int, byte> Classes)
    {
        public byte ClassOf(int point) => Classes.GetValueOrDefault(point);

        public static Tables Read()
        {
            var (parts, wholes, classes) = (new Dictionary<int, int[]>(), new Dictionary<(int, int), int>(), new Dictionary<int, byte>());
            using var reader = new StreamReader(typeof(Nfc).Assembly.GetManifestResourceStream("nfc.txt")!);
            var entries = reader.ReadToEnd().Split('\n').Where(line => !line.StartsWith('#'))
                .SelectMany(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            foreach (var entry in entries)
            {
                var sign = entry.AsSpan().IndexOfAny("=>:");
                var (left, right) = (entry[..sign], entry[(sign + 1)..]);
                if (entry[sign] == ':')
                {
                    var ends = Points(left, '-');
                    for (var point = ends[0]; point <= ends[^1]; point++)
                        classes[point] = byte.Parse(right, CultureInfo.InvariantCulture);
                    continue;
                }
                var (whole, points) = (Points(left, '-')[0], Points(right, '.'));
                parts[whole] = points;
                if (entry[sign] == '=')
                    wholes[(points[0], points[1])] = whole;
            }
            return new Tables(parts.ToFrozenDictionary(), wholes.ToFrozenDictionary(), classes.ToFrozenDictionary());
        }

        private static int[] Points(string text, char separator) =>
            [.. text.Split(separator).Select(point => int.Parse(point, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
    }
}
