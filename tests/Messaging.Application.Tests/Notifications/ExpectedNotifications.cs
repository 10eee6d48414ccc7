using Messaging.Application.Messages;
using Messaging.Domain.Messages;

namespace Messaging.Application.Tests.Notifications;

/// <summary>What one user who is not looking is notified of in a conversation, worked out message by message.</summary>
internal sealed class ExpectedNotifications
{
    private readonly List<Sent> unfollowed = [];
    private readonly HashSet<Sent> edited = [];
    private HashSet<Sent> collapsed = [];
    private bool hasRead;

    public List<Sent> Messages { get; } = [];

    public long Pointer { get; private set; }

    public bool IsMuted { get; set; }

    public void Send(MessageView view, bool isSilent, bool isMention)
    {
        var message = new Sent(view) { IsMention = isMention };
        Messages.Add(message);
        if (!isSilent)
            unfollowed.Add(message);
    }

    public void Edit(Sent message)
    {
        message.IsMention = !message.IsMention;
        edited.Add(message);
    }

    public void Read(long seq) => (Pointer, hasRead) = (Math.Max(Pointer, seq), true);

    public void ReadAll()
    {
        collapsed = [];
        foreach (var message in Messages.Where(message => message.HasEntry))
            message.IsRead = true;
    }

    public void Follow()
    {
        if (hasRead && collapsed.All(message => message.Seq <= Pointer))
            collapsed = [];
        foreach (var message in Messages.Where(message => message.HasEntry && (message.IsGone || !message.IsMention)))
            (message.HasEntry, message.IsRead) = (false, false);
        foreach (var message in unfollowed.Where(message => !message.IsGone && !message.IsMention && !IsMuted && message.Seq > Pointer))
            collapsed.Add(message);
        foreach (var message in unfollowed.Concat(edited).Where(message => !message.IsGone && message.IsMention && !message.HasEntry))
            (message.HasEntry, message.IsRead) = (true, message.Seq <= Pointer);
        collapsed.RemoveWhere(message => message.IsGone || message.IsMention);
        unfollowed.Clear();
        edited.Clear();
        hasRead = false;
    }

    public IEnumerable<string> Unread()
    {
        var unread = collapsed.Where(message => message.Seq > Pointer).ToList();
        return Messages.Where(message => message.HasEntry && !message.IsRead && message.Seq > Pointer)
            .Select(message => $"Mention 1 {message.View.Id}")
            .Concat(unread.Count > 0 ? [$"Message {unread.Count} {unread.MaxBy(message => message.Seq)!.View.Id}"] : []);
    }

    internal sealed class Sent(MessageView view)
    {
        public MessageView View => view;

        public long Seq => view.Seq;

        public bool IsSystem => view.Type is MessageType.System;

        public bool IsMention { get; set; }

        public bool IsGone { get; set; }

        public bool HasEntry { get; set; }

        public bool IsRead { get; set; }
    }
}
