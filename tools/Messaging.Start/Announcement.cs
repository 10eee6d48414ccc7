using System.Text.Encodings.Web;
using System.Text.Json;

namespace Messaging.Start;

/// <summary>What the start tells: the members of <c>start.sh --json</c>, in their order.</summary>
sealed record Announcement(
    string Url,
    string Console,
    string ServiceKey,
    string Hs256Secret,
    string Issuer,
    string Audience,
    IReadOnlyList<DemoUser> Users,
    string ConnectionString,
    string DataFolder)
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public string ToText() =>
        $"""
        Messaging runs at {Url}

          Console      {Console}
          Service key  {ServiceKey}
        {string.Join('\n', Users.Select(user => $"  Token        {user.Token}  ({user.DisplayName}, id {user.UserId}, good for a day)"))}
          PostgreSQL   {ConnectionString}
          Data, logs   {DataFolder}

        Ctrl+C stops it.
        """;
}
