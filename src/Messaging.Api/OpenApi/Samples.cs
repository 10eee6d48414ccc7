namespace Messaging.Api.OpenApi;

/// <summary>What the members of examples say, by their names; two people who talk about a shipment.</summary>
public static class Samples
{
    private const string Token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl";

    private static readonly Dictionary<string, string> Texts = new(StringComparer.Ordinal)
    {
        ["displayName"] = "Anna Berg",
        ["firstName"] = "Anna",
        ["lastName"] = "Berg",
        ["username"] = "anna",
        ["avatarUrl"] = "https://example.com/anna.png",
        ["name"] = "Shipment 4711",
        ["description"] = "All about the shipment to Hamburg",
        ["slug"] = "shipment-4711",
        ["id"] = "4711",
        ["type"] = "shipment",
        ["text"] = "When will it arrive?",
        ["preview"] = "When will it arrive?",
        ["clientMessageId"] = "c-1",
        ["emoji"] = "👍",
        ["password"] = "a fox that reads at night",
        ["currentPassword"] = "a fox that reads at night",
        ["newPassword"] = "two owls in one old oak",
        ["token"] = Token,
        ["accessToken"] = Token,
        ["refreshToken"] = "mrt_7n0pQm3xV1b8cY2sKq4tLw9eRz6uHj5aTf0gDi8oXvBkNyMEwPCrSJl3hUG1ZdQ4WAIO2x7k",
        ["cursor"] = "MTc2MzYzMzczMA",
        ["nextCursor"] = "MTc2MzYzMzczMA",
        ["note"] = "Delivered",
        ["title"] = "Anna Berg",
        ["body"] = "When will it arrive?",
        ["deviceId"] = "pixel-8",
        ["p256dh"] = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        ["auth"] = "BTBZMqHH6r4Tts7J_aSIgg",
        ["language"] = "de",
        ["from"] = "22:00",
        ["to"] = "07:00",
        ["timeZone"] = "Europe/Berlin",
        ["status"] = "live",
        ["database"] = "up",
        ["schema"] = "current",
        ["images"] = "available",
        ["direct"] = "anyone",
        ["url"] = "https://example.com/hook",
        ["eventTypes"] = "message:*",
        ["contextType"] = "shipment",
        ["secret"] = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    };

    // Members whose presence means that something is over or changed, which it mostly is not.
    private static readonly HashSet<string> Nulls = new(StringComparer.Ordinal)
    {
        "closed", "deleted", "editedAt", "replyTo", "replyToId", "mutedUntil", "before", "slug", "disabledReason",
    };

    public static bool IsUsuallyNull(string name) => Nulls.Contains(name);

    public static bool IsUsuallyTrue(string name) => name is "active" or "enabled" or "hasMore";

    public static long Number(string name, long minimum) => Math.Max(minimum, name switch
    {
        "seq" or "lastSeq" or "lastReadSeq" or "lastDeliveredSeq" or "after" => 42,
        "participantCount" or "recipientCount" => 2,
        "unreadCount" or "mentionCount" or "messages" or "conversations" or "mentions" => 1,
        "version" or "position" => 3,
        "groupSize" => 300,
        "textLength" => 10_000,
        "metadataBytes" => 16_384,
        _ => 1,
    });

    public static string Text(string name, string? format) => format switch
    {
        "uuid" => "0195e3a2-7c3f-7b1e-9a55-3f0a4d1c2b6e",
        "date-time" => "2026-11-20T10:15:30.123456Z",
        "uri" => "https://example.com",
        _ => Texts.GetValueOrDefault(name, "text"),
    };
}
