using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Messaging.Benchmarks.Data;

/// <summary>Copies the users.</summary>
sealed class PeopleCopy(NpgsqlConnection connection, Shape shape, DateTime now)
{
    static readonly string[] FirstNames =
        ["Ada", "Bo", "Chidi", "Dana", "Emre", "Fatou", "Goran", "Hana", "Ines", "Jun", "Kofi", "Lea", "Mei", "Nora", "Omar", "Pia"];
    static readonly string[] LastNames =
        ["Adler", "Berg", "Costa", "Diaz", "Eriksen", "Fuchs", "Garcia", "Haas", "Ito", "Jansen", "Kaya", "Lund"];

    public async Task CopyAsync(CancellationToken ct)
    {
        await using var rows = await connection.BeginBinaryImportAsync(
            "COPY users (id, display_name, avatar_url, created_at, updated_at) FROM STDIN (FORMAT binary)", ct);
        for (var user = 0; user < shape.Users; user++)
        {
            var id = Shape.UserId(user);
            await rows.StartRowAsync(ct);
            await rows.WriteAsync(id, NpgsqlDbType.Text, ct);
            await rows.WriteAsync($"{FirstNames[user % 16]} {LastNames[user / 16 % 12]}", NpgsqlDbType.Text, ct);
            await rows.WriteAsync(
                string.Create(CultureInfo.InvariantCulture, $"https://cdn.example.com/a/{id}.png"), NpgsqlDbType.Text, ct);
            await rows.WriteAsync(now - Shape.Span, NpgsqlDbType.TimestampTz, ct);
            await rows.WriteAsync(now - Shape.Span, NpgsqlDbType.TimestampTz, ct);
        }

        await rows.CompleteAsync(ct);
    }
}
