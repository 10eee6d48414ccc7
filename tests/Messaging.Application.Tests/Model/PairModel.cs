using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;

namespace Messaging.Application.Tests.Model;

/// <summary>
/// Two people and what stands between them, as the contract describes it: contacts, blocks, message requests and their direct
/// conversations, one per context. Both are numbers, 0 and 1, and so are the contexts.
/// </summary>
sealed class PairModel(DirectMessages policy, int contexts)
{
    private readonly (bool Accepted, int By)?[] contacts = new (bool, int)?[2];
    private readonly bool[] blocks = new bool[2];
    private readonly bool[] declines = new bool[2];
    private readonly Talk?[] talks = new Talk?[contexts];
    private readonly List<Asked> requests = [];

    private bool Blocked => blocks[0] || blocks[1];

    private bool AreContacts => contacts[0]?.Accepted == true;

    public string Open(int who, int context, bool says)
    {
        if (talks[context] is { } there)
            return says ? Say(who, there) : "";
        if (Blocked)
            return ProblemCodes.Blocked;
        if (policy is DirectMessages.Contacts && !AreContacts)
            return ProblemCodes.NotAContact;
        var talk = new Talk { Context = context, Opener = who, Waits = policy is DirectMessages.Requests && !AreContacts };
        // What is opened with a message that is refused is not opened.
        var code = says ? Say(who, talk) : "";
        if (code.Length == 0)
            talks[context] = talk;
        return code;
    }

    public string Send(int who, int context) => talks[context] is { } talk ? Say(who, talk) : ProblemCodes.NotFound;

    public string Read(int who, int context)
    {
        if (talks[context] is not { } talk)
            return ProblemCodes.NotFound;
        if (talk.Receiver != who)
            talk.Read[who] = talk.Senders.Count;
        return "";
    }

    public string Block(int who, bool isBlocked)
    {
        blocks[who] = isBlocked;
        return "";
    }

    public string Ask(int who)
    {
        if (Blocked)
            return ProblemCodes.Blocked;
        var known = contacts[who] ?? contacts[1 - who];
        if (known is { Accepted: false } asked && asked.By == 1 - who)
            Accept(by: 1 - who);
        else if (contacts[1 - who] is null)
            return AskAnew(who);
        return "";
    }

    // Who was declined has asked for oneself alone; who waits for an answer to a first message does not ask by another way.
    private string AskAnew(int who)
    {
        if (requests.Any(request => request.From == who && request.Status != "Accepted"))
            return contacts[who] is null ? ProblemCodes.RequestPending : "";
        contacts[who] ??= (false, who);
        if (!declines[1 - who])
            contacts[1 - who] = (false, who);
        return "";
    }

    public string AnswerContact(int who, bool accepts)
    {
        if (contacts[who] is not { } known)
            return ProblemCodes.NotFound;
        if (known.Accepted)
            return accepts ? "" : ProblemCodes.AlreadyExists;
        if (known.By == who)
            return ProblemCodes.NotAllowed;
        if (accepts && Blocked)
            return ProblemCodes.Blocked;
        if (accepts)
            Accept(known.By);
        else
            (contacts[who], declines[who]) = (null, true);
        return "";
    }

    public string RemoveContact(int who)
    {
        if (contacts[who] is null)
            return ProblemCodes.NotFound;
        contacts[0] = contacts[1] = null;
        return "";
    }

    /// <summary>Answers the newest request of the two.</summary>
    public string AnswerRequest(int who, bool accepts)
    {
        if (requests.Count == 0)
            return ProblemCodes.NotFound;
        var request = requests[^1];
        if (request.From == who)
            return ProblemCodes.NotAllowed;
        if (request.Status == "Accepted")
            return accepts ? "" : ProblemCodes.AlreadyExists;
        if (accepts && Blocked)
            return ProblemCodes.Blocked;
        if (accepts)
            Accept(request.From);
        else
            request.Status = "Declined";
        return "";
    }

    /// <summary>All that one of the two sees, as one text; the same is made of the service's answers.</summary>
    public string See(int user)
    {
        var contact = contacts[user] is { } known ? $"{(known.Accepted ? "Accepted" : "Pending")} by {known.By}" : "none";
        var mine = talks.OfType<Talk>().Select(talk =>
            $"{talk.Context}: last {talk.Senders.Count} read {talk.Read[user]} unread {talk.Unread(user)} in inbox {talk.IsInInbox(user)}");
        var counted = talks.OfType<Talk>().Where(talk => talk.Receiver != user && talk.Unread(user) > 0).ToList();
        // Who asked does not learn of a no.
        var asked = requests.AsEnumerable().Reverse()
            .Select(request => $"{request.Context} from {request.From} "
                + $"{(request.From == user && request.Status == "Declined" ? "Pending" : request.Status)}");
        return $"""
            contact {contact}; blocks {blocks[user]}
            {string.Join('\n', mine)}
            badge {counted.Count} {counted.Sum(talk => talk.Unread(user))}
            requests {string.Join(", ", asked)}
            """;
    }

    private string Say(int who, Talk talk)
    {
        var asks = talk.Waits && !AreContacts && policy is not DirectMessages.Anyone;
        if (talk.Waits && !AreContacts && policy is DirectMessages.Contacts)
            return ProblemCodes.NotAContact;
        if (Blocked)
            return ProblemCodes.Blocked;
        if (talk.Receiver is not null || (asks && requests.Any(request => request.Status != "Accepted")))
            return ProblemCodes.RequestPending;
        talk.Senders.Add(who);
        talk.Read[who] = talk.Senders.Count;
        talk.Waits = false;
        if (asks)
        {
            talk.Receiver = 1 - who;
            requests.Add(new Asked { Context = talk.Context, From = who, Status = declines[1 - who] ? "Declined" : "Pending" });
        }
        return "";
    }

    private void Accept(int by)
    {
        if (!AreContacts)
            contacts[0] = contacts[1] = (true, contacts[0]?.By ?? contacts[1]?.By ?? by);
        (declines[0], declines[1]) = (false, false);
        foreach (var talk in talks.OfType<Talk>())
            (talk.Waits, talk.Receiver) = (false, null);
        requests.ForEach(request => request.Status = "Accepted");
    }

    private sealed class Talk
    {
        public int Context { get; init; }

        public int Opener { get; init; }

        /// <summary>Whether the first message will ask.</summary>
        public bool Waits { get; set; }

        /// <summary>Who has to answer before it goes on.</summary>
        public int? Receiver { get; set; }

        public List<int> Senders { get; } = [];

        public int[] Read { get; } = new int[2];

        public int Unread(int user) => Senders.Skip(Read[user]).Count(sender => sender != user);

        public bool IsInInbox(int user) => Receiver != user && (user == Opener || Senders.Count > 0);
    }

    private sealed class Asked
    {
        public int Context { get; init; }

        public int From { get; init; }

        public string Status { get; set; } = "Pending";
    }
}
