using System.Text.Json.Nodes;

namespace Messaging.Testing;

/// <summary>
/// What a careful client keeps of its inbox: a snapshot of <c>GET /v1/sync</c>, and every event folded into it by the rules of
/// docs/integrating.md. A fold that differs from a fresh snapshot is an event that was lost, late or wrong.
/// </summary>
public sealed class ClientModel
{
    // What a conversation says of itself.
    private static readonly string[] Told =
        ["name", "description", "avatarUrl", "slug", "ownerId", "metadata", "policy", "closed", "archived"];

    private readonly string user;
    private readonly Dictionary<string, JsonObject> conversations = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<JsonObject>> heard = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<(JsonObject Message, string At)>> deleted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> countedUpTo = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> takenAt = new(StringComparer.Ordinal);

    public ClientModel(string user, JsonObject snapshot)
    {
        this.user = user;
        Cursor = Text(snapshot["cursor"]);
        foreach (var conversation in snapshot["conversations"]!["items"]!.AsArray())
            Keep(conversation!.DeepClone().AsObject(), Number(conversation["version"]));
    }

    /// <summary>The newest event seen.</summary>
    public string Cursor { get; set; }

    /// <summary>The inbox as the client would show it: what it knows of each conversation, newest activity first.</summary>
    public IReadOnlyList<string> Inbox => [.. conversations.Values.Where(IsInInbox)
        .OrderByDescending(c => Text(c["lastActivityAt"]), StringComparer.Ordinal)
        .ThenByDescending(c => Text(c["id"]), StringComparer.Ordinal)
        .Select(Comparable)];

    /// <summary>Of each group that the client holds, how many take part, and whom of them it shows.</summary>
    public IReadOnlyList<string> People => [.. conversations.Values.Where(c => Text(c["type"]) == "group")
        .Select(c => $"{c["id"]}: {c["participantCount"]}, {string.Join(' ', c["participants"]!.AsArray().Select(p => p!["userId"]))}")
        .Order(StringComparer.Ordinal)];

    /// <summary>The messages of others that are unread, over all conversations.</summary>
    public long Unread =>
        conversations.Values.Where(c => IsInInbox(c) && c["me"]!["mutedUntil"] is null).Sum(c => Number(c["me"]!["unreadCount"]));

    public void Apply(JsonObject envelope)
    {
        var data = envelope["data"]!.AsObject();
        var id = Text(envelope["conversationId"]);
        var type = Text(envelope["type"]);
        Cursor = Text(envelope["id"]);
        // What happened in a conversation before one came in, or came back, is in the conversation:created that one then hears.
        if (type != "conversation:created" && !conversations.ContainsKey(id))
            return;
        switch (type)
        {
            case "conversation:created" when !conversations.ContainsKey(id):
                // Its version is of when it was told, its participants are of when it happened: all that follows changes them.
                Keep(Joined(data.DeepClone().AsObject(), Text(envelope["occurredAt"])), version: 0);
                break;
            case "participant:added" or "participant:updated" or "participant:removed"
                when data["version"] is { } version && Number(version) <= takenAt[id]:
                break;
            case "participant:added":
                Add(conversations[id], data);
                break;
            case "participant:updated":
                Replace(conversations[id], data["participant"]!.AsObject());
                break;
            case "participant:removed" when Text(data["userId"]) == user:
            case "conversation:deleted":
                conversations.Remove(id);
                break;
            case "participant:removed":
                Take(conversations[id], data);
                break;
            case "conversation:updated" or "conversation:archived" or "conversation:closed" or "conversation:reopened":
                Change(conversations[id], data);
                break;
            case "settings:updated":
                Prefer(conversations[id], data);
                break;
            case "message:delivered":
                Deliver(conversations[id], Text(data["userId"]), Number(data["seq"]));
                break;
            case "message:new":
                Hear(conversations[id], data);
                break;
            case "message:edited":
                Edit(conversations[id], data);
                break;
            case "message:deleted":
                Delete(conversations[id], data, Text(envelope["occurredAt"]));
                break;
            case "message:read":
                Read(conversations[id], Text(data["userId"]), Number(data["seq"]), isBack: data["markedUnread"] is not null);
                break;
            case "unread:changed":
                Recount(conversations[id], data);
                break;
        }
    }

    // One joins with everything read, be it at the beginning or later; where one does not, unread:changed says so next.
    private JsonObject Joined(JsonObject conversation, string at)
    {
        var delivered = Participant(conversation, user)?["lastDeliveredSeq"] ?? conversation["lastSeq"];
        conversation["me"] = new JsonObject
        {
            ["unreadCount"] = 0, ["mentionCount"] = 0, ["lastReadSeq"] = Number(conversation["lastSeq"]),
            ["lastDeliveredSeq"] = Number(delivered), ["starred"] = false, ["countedAt"] = at,
        };
        return conversation;
    }

    private static void Replace(JsonObject conversation, JsonObject participant)
    {
        if (Participant(conversation, Text(participant["userId"])) is { } known)
            known["role"] = participant["role"]!.DeepClone();
    }

    private static void Take(JsonObject conversation, JsonObject removal)
    {
        TakeCount(conversation, removal);
        if (Participant(conversation, Text(removal["userId"])) is { } known)
            conversation["participants"]!.AsArray().Remove(known);
    }

    // How many take part is told, and not counted. Events of earlier releases do not say so.
    private static void TakeCount(JsonObject conversation, JsonObject change)
    {
        if (change["participantCount"] is { } count)
            conversation["participantCount"] = count.DeepClone();
    }

    // What others do to the conversation itself; its messages and pointers have events of their own.
    private static void Change(JsonObject conversation, JsonObject changed)
    {
        foreach (var name in Told)
            conversation[name] = changed[name]?.DeepClone();
    }

    // What was cleared is not shown, nor is it the last message.
    private static void Prefer(JsonObject conversation, JsonObject settings)
    {
        foreach (var (name, value) in settings)
            conversation["me"]![name] = value?.DeepClone();
        if (Number(conversation["lastSeq"]) <= Number(settings["clearedSeq"]))
            conversation["lastMessage"] = null;
    }

    private void Deliver(JsonObject conversation, string receiver, long seq)
    {
        if (Participant(conversation, receiver) is { } participant && participant["lastDeliveredSeq"] is not null)
            participant["lastDeliveredSeq"] = Math.Max(Number(participant["lastDeliveredSeq"]), seq);
        if (receiver == user)
            conversation["me"]!["lastDeliveredSeq"] = Math.Max(Number(conversation["me"]!["lastDeliveredSeq"]), seq);
    }

    private static JsonNode? Participant(JsonObject conversation, string who) =>
        conversation["participants"]!.AsArray().FirstOrDefault(p => Text(p!["userId"]) == who);

    // The version of a snapshot says which changes of participants it has.
    private void Keep(JsonObject conversation, long version)
    {
        var id = Text(conversation["id"]);
        (conversations[id], takenAt[id]) = (conversation, version);
        (heard[id], deleted[id]) = ([], []);
        countedUpTo[id] = Number(conversation["lastSeq"]);
    }

    private static void Add(JsonObject conversation, JsonObject change)
    {
        TakeCount(conversation, change);
        var (list, participant) = (conversation["participants"]!.AsArray(), change["participant"]!.AsObject());
        if (list.Any(p => Text(p!["userId"]) == Text(participant["userId"])))
            return;
        var sorted = list.Append(participant).OrderBy(p => Text(p!["userId"]), StringComparer.Ordinal).Take(10).Select(p => p!.DeepClone());
        conversation["participants"] = new JsonArray([.. sorted]);
    }

    private void Hear(JsonObject conversation, JsonObject message)
    {
        var (id, seq) = (Text(conversation["id"]), Number(message["seq"]));
        // Also of a message that is known: what is told again may have moved the pointer back before it.
        if (message["senderId"] is { } sender)
            Show(conversation, Text(sender), seq, isBack: false);
        if (seq <= Number(conversation["lastSeq"]))
            return;
        heard[id].Add(message);
        conversation["lastSeq"] = seq;
        // The next message brings back what was archived or taken out of the inbox.
        if (conversation["me"]!["mutedUntil"] is null)
            conversation["me"]!["archived"] = false;
        conversation["me"]!["hidden"] = false;
        conversation["lastActivityAt"] = message["createdAt"]!.DeepClone();
        conversation["lastMessage"] = new JsonObject(
            new[] { "id", "seq", "type", "senderId", "text", "createdAt" }.Select(
                name => KeyValuePair.Create(name, message[name]?.DeepClone())))
        {
            ["deleted"] = message["deleted"] is not null,
        };
        if (seq > countedUpTo[id])
        {
            countedUpTo[id] = seq;
            Count(conversation, message, Number(conversation["me"]!["lastReadSeq"]));
            if (Text(message["senderId"]) == user)
                (conversation["me"]!["unreadCount"], conversation["me"]!["mentionCount"]) = (0, 0);
        }
        if (message["senderId"] is { } author && Text(author) == user)
            Move(conversation["me"]!, seq, isBack: false);
    }

    private void Count(JsonObject conversation, JsonObject message, long pointer, int change = 1)
    {
        if (Number(message["seq"]) <= pointer || Text(message["type"]) == "system" || Text(message["senderId"]) == user)
            return;
        var me = conversation["me"]!;
        me["unreadCount"] = Number(me["unreadCount"]) + change;
        if (message["mentions"]!.AsArray().Any(m => Text(m) == user || Text(m) == "@all"))
            me["mentionCount"] = Number(me["mentionCount"]) + change;
    }

    private void Edit(JsonObject conversation, JsonObject message)
    {
        var earlier = heard[Text(conversation["id"])];
        var index = earlier.FindIndex(m => Number(m["seq"]) == Number(message["seq"]));
        if (index >= 0)
            earlier[index] = message;
        if (IsLast(conversation, message))
            conversation["lastMessage"]!["text"] = message["text"] is null ? null : First(Text(message["text"]));
    }

    // What is gone for oneself alone changes no count: unread:changed says so.
    private void Delete(JsonObject conversation, JsonObject message, string at)
    {
        var id = Text(conversation["id"]);
        var isMine = Text(message["deleted"]!["scope"]) == "me";
        heard[id].RemoveAll(m => Number(m["seq"]) == Number(message["seq"]));
        if (IsLast(conversation, message))
            conversation["lastMessage"] = isMine ? null : Emptied(conversation["lastMessage"]!);
        if (isMine)
            return;
        deleted[id].Add((message, at));
        if (string.CompareOrdinal(at, Text(conversation["me"]!["countedAt"])) > 0)
            Count(conversation, message, Number(conversation["me"]!["lastReadSeq"]), change: -1);
    }

    private static bool IsLast(JsonObject conversation, JsonObject message) =>
        conversation["lastMessage"] is { } last && Number(last["seq"]) == Number(message["seq"]);

    private static JsonNode Emptied(JsonNode preview)
    {
        (preview["text"], preview["deleted"]) = (null, true);
        return preview.DeepClone();
    }

    private static string First(string text) => string.Concat(text.EnumerateRunes().Take(120));

    private void Read(JsonObject conversation, string reader, long seq, bool isBack)
    {
        Show(conversation, reader, seq, isBack);
        if (reader == user)
            Move(conversation["me"]!, seq, isBack);
    }

    private void Show(JsonObject conversation, string reader, long seq, bool isBack)
    {
        if (Participant(conversation, reader) is { } participant && participant["lastReadSeq"] is not null)
            Move(participant, seq, isBack);
        // Who hides how far one has read has received what one read all the same.
        else
            Deliver(conversation, reader, seq);
    }

    private static void Move(JsonNode pointers, long seq, bool isBack)
    {
        Raise(pointers, seq);
        if (isBack)
            pointers["lastReadSeq"] = seq;
    }

    private static void Raise(JsonNode pointers, long seq)
    {
        pointers["lastReadSeq"] = Math.Max(Number(pointers["lastReadSeq"]), seq);
        pointers["lastDeliveredSeq"] = Math.Max(Number(pointers["lastDeliveredSeq"]), seq);
    }

    // The numbers are of a moment: lastSeq and countedAt say which. What was heard by now and is later than that is counted here.
    private void Recount(JsonObject conversation, JsonObject change)
    {
        var (me, id, pointer, known) = (conversation["me"]!, Text(conversation["id"]), Number(change["lastReadSeq"]),
            Number(change["lastSeq"]));
        Move(me, pointer, isBack: true);
        foreach (var name in new[] { "unreadCount", "mentionCount", "countedAt" })
            me[name] = change[name]!.DeepClone();
        foreach (var later in heard[id].Where(m => Number(m["seq"]) > known))
            Count(conversation, later, pointer);
        foreach (var (gone, _) in deleted[id].Where(
            d => Number(d.Message["seq"]) <= known && string.CompareOrdinal(d.At, Text(change["countedAt"])) > 0))
            Count(conversation, gone, pointer, change: -1);
        countedUpTo[id] = Math.Max(known, heard[id].Select(m => Number(m["seq"])).DefaultIfEmpty().Max());
    }

    // Whoever has cleared something was told of messages, also who resumes after that.
    private bool IsInInbox(JsonObject conversation) =>
        (Text(conversation["type"]) == "group" || Text(conversation["createdBy"]) == user
            || Math.Max(Number(conversation["lastSeq"]), Number(conversation["me"]!["clearedSeq"])) > 0)
        && !Flag(conversation["archived"]) && !Flag(conversation["me"]!["archived"]) && !Flag(conversation["me"]!["hidden"]);

    private static string Comparable(JsonObject conversation)
    {
        var kept = new JsonObject();
        foreach (var name in Told.Concat(["id", "type", "participantCount", "lastSeq", "lastActivityAt", "lastMessage"]))
            kept[name] = conversation[name]?.DeepClone();
        var cleared = Number(conversation["me"]!["clearedSeq"]);
        kept["lastSeq"] = Math.Max(Number(conversation["lastSeq"]), cleared);
        // Nor is the time of what one has cleared.
        if (Number(conversation["lastSeq"]) <= cleared)
            kept["lastActivityAt"] = null;
        kept["participants"] = new JsonArray([.. conversation["participants"]!.AsArray().Select(p => Beyond(cleared, p!))]);
        foreach (var name in new[] { "unreadCount", "mentionCount", "lastReadSeq", "lastDeliveredSeq", "starred", "mutedUntil", "colorTag",
            "draft" })
            kept[name] = conversation["me"]![name]?.DeepClone();
        return Sorted(kept).ToJsonString();
    }

    // How far others have come within what is cleared is not told.
    private static JsonNode Beyond(long cleared, JsonNode participant)
    {
        var shown = participant.DeepClone();
        foreach (var name in new[] { "lastReadSeq", "lastDeliveredSeq" })
        {
            if (shown[name] is { } seq)
                shown[name] = Math.Max(Number(seq), cleared);
        }
        return shown;
    }

    // The members of a stored payload come in another order than those of an answer, and mean the same.
    private static JsonNode Sorted(JsonNode node) => node switch
    {
        JsonObject members => new JsonObject(members.OrderBy(member => member.Key, StringComparer.Ordinal)
            .Select(member => KeyValuePair.Create(member.Key, member.Value is null ? null : (JsonNode?)Sorted(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(item => item is null ? null : Sorted(item))]),
        _ => node.DeepClone(),
    };

    private static bool Flag(JsonNode? node) => node is not null && node.GetValue<bool>();

    private static string Text(JsonNode? node) => node?.GetValue<string>() ?? "";

    private static long Number(JsonNode? node) =>
        node is null ? 0 : node.AsValue().TryGetValue<long>(out var number) ? number : node.GetValue<int>();
}
