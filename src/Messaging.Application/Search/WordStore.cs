using Messaging.Application.Common;

namespace Messaging.Application.Search;

/// <summary>Finds the words of texts as the index of messages has them: PostgreSQL's own reading, in one place.</summary>
public sealed class WordStore(DbSession session)
{
    // ts_parse gives a text piece by piece, what stands between words (12) too, so that the pieces before tell where a word begins.
    private const string WordsSql =
        """
        SELECT w.no, w.place, w.start, w.length, w.lexeme
        FROM (
            SELECT t.no::int AS no, count(*) FILTER (WHERE p.tokid <> 12) OVER before AS place,
                (sum(length(p.token)) OVER before - length(p.token))::int AS start, length(p.token) AS length,
                CASE WHEN p.tokid <> 12 THEN (ts_lexize('simple', p.token))[1] END AS lexeme
            FROM unnest(@Texts::text[]) WITH ORDINALITY AS t (text, no)
            CROSS JOIN LATERAL ts_parse('default', message_plain(t.text)) WITH ORDINALITY AS p (tokid, token, n)
            WINDOW before AS (PARTITION BY t.no ORDER BY p.n)
        ) w
        WHERE w.lexeme IS NOT NULL
            AND (@Lexemes::text[] IS NULL OR w.lexeme = ANY(@Lexemes) OR starts_with(w.lexeme, @Beginning))
        ORDER BY w.no, w.place
        """;

    /// <summary>What is looked for, as words, each term once; none where the parts hold none.</summary>
    public async Task<IReadOnlyList<SearchTerm>> TermsAsync(IReadOnlyList<SearchPart> parts, CancellationToken ct)
    {
        var words = await ReadAsync([.. parts.Select(part => part.Text)], lexemes: null, beginning: null, ct);
        var terms = new List<SearchTerm>();
        for (var i = 0; i < parts.Count; i++)
        {
            var lexemes = words[i].Select(word => word.Lexeme).ToList();
            if (lexemes.Count == 0)
                continue;
            var isOpen = parts[i].IsOpen;
            if (parts[i].IsPhrase)
                terms.Add(new SearchTerm(lexemes, isOpen));
            else
                terms.AddRange(lexemes.Select((lexeme, n) => new SearchTerm([lexeme], isOpen && n == lexemes.Count - 1)));
        }
        return [.. terms.DistinctBy(term => term.Query)];
    }

    /// <summary>For each of the texts those of its words that one of the terms may have.</summary>
    public Task<ILookup<int, TextWord>> FindAsync(IReadOnlyList<string> texts, IReadOnlyList<SearchTerm> terms, CancellationToken ct) =>
        ReadAsync(
        texts,
        [.. terms.SelectMany(term => term.Lexemes).Distinct()],
        terms.FirstOrDefault(term => term.IsOpen)?.Lexemes[^1],
        ct);

    private async Task<ILookup<int, TextWord>> ReadAsync(
        IReadOnlyList<string> texts, string[]? lexemes, string? beginning, CancellationToken ct)
    {
        var rows = await session.QueryAsync<Row>(
            WordsSql, new { Texts = texts.ToArray(), Lexemes = lexemes, Beginning = beginning }, ct);
        return rows.ToLookup(row => row.No - 1, row => new TextWord(row.Place, row.Start, row.Length, row.Lexeme));
    }

    private sealed record Row(int No, long Place, int Start, int Length, string Lexeme);
}
