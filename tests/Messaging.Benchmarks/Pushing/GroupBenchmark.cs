using System.Buffers;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Messaging.Benchmarks.Load;
using Messaging.Benchmarks.Measures;
using Messaging.Benchmarks.Sending;

namespace Messaging.Benchmarks.Pushing;

/// <summary>
/// A group of 300, all of them connected, each of whom acknowledges what comes as received and as read: the newest message, as soon as the
/// last acknowledgement was answered.
/// </summary>
sealed class GroupBenchmark(Bench bench)
{
    const int Members = 300;
    const int Workers = 16;

    static readonly int[] Rates = [15, 50, 100];
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    readonly string prefix = bench.Acknowledged.Prefix + "group";
    readonly ConcurrentBag<long> latencies = [];
    readonly List<Member> members = [];
    long[] sentAt = [];
    long acknowledgements;
    int sent;

    public async Task RunAsync()
    {
        bench.Report.Heading($"push: a group of {Members}, all connected, who acknowledge all that comes as received and as read");
        var targets = await SendTarget.FindAsync(bench.Database.DataSource, Members, conversations: 1, senders: Members, bench.Stop);
        sentAt = new long[Rates.Sum() * ((int)bench.Options.Run.TotalSeconds + 1)];
        using var over = CancellationTokenSource.CreateLinkedTokenSource(bench.Stop);
        var senders = new List<SendClient>();
        try
        {
            foreach (var some in targets.Chunk(20))
            {
                members.AddRange(await Task.WhenAll(some.Select(async target =>
                    new Member(await HubConnection.OpenAsync(bench.Service.Port, bench.Service.Requests.Token(target.Sender), bench.Stop),
                        target.Conversation))));
            }
            var listening = members.Select(member => Task.Run(() => ListenAsync(member, over.Token))).ToList();
            var requests = targets.Select(target => target.Request(bench.Service.Requests)).ToArray();
            for (var i = 0; i < Workers; i++)
                senders.Add(new(await HttpConnection.OpenAsync(bench.Service.Port, bench.Stop), targets, requests, bench.Acknowledged, i));
            foreach (var rate in Rates)
                await SendAsync(senders, targets.Length, rate);
            bench.Report.Check(
                listening.All(task => !task.IsCompleted), $"connections that were closed: {listening.Count(task => task.IsCompleted)}");
            await over.CancelAsync();
            await Task.WhenAll(listening);
        }
        finally
        {
            senders.ForEach(sender => sender.Dispose());
            members.ForEach(member => member.Connection.Dispose());
        }
    }

    async Task SendAsync(List<SendClient> senders, int targets, int rate)
    {
        var (before, answered) = (bench.Cpu(), Volatile.Read(ref acknowledgements));
        var answers = new ConcurrentBag<long>();
        var (begun, failures) = await OpenLoop.RunAsync(
            Workers, rate, bench.Options.Run,
            async (worker, _) =>
            {
                var (message, start) = (Interlocked.Increment(ref sent) - 1, Stopwatch.GetTimestamp());
                Volatile.Write(ref sentAt[message], start);
                var key = prefix + message.ToString("x", CultureInfo.InvariantCulture).PadLeft(SendClient.KeyLength - prefix.Length, '0');
                var isSent = await senders[worker].SendAsync(message % targets, key);
                answers.Add(Stopwatch.GetTimestamp() - start);
                return isSent;
            },
            bench.Stop);
        var answersIn = new Timings(bench.Options.Run, [.. answers.Order()], failures);
        var acknowledged = (Volatile.Read(ref acknowledgements) - answered) / bench.Options.Run.TotalSeconds;
        for (var waited = 0; latencies.Count < (begun - failures) * Members && waited < Patience.TotalMilliseconds; waited += 50)
            await Task.Delay(50, bench.Stop);
        var cpu = bench.Cpu() - before;
        var heard = new Timings(bench.Options.Run, [.. latencies.Order()], failures);
        latencies.Clear();
        bench.Report.Check(
            failures == 0 && heard.Ticks.Length == begun * Members,
            $"{rate} a second: sent {begun}, of which refused {failures}, heard by all {heard.Ticks.Length / (double)Members:0.0}");
        bench.Report.Say($"{rate,5} a second: answered p50 {answersIn.Percentile(0.5):0.0} ms, p99 {answersIn.Percentile(0.99):0.0}; heard "
            + $"p50 {heard.Percentile(0.5):0.0}, p99 {heard.Percentile(0.99):0.0}; acknowledgements {acknowledged:N0} a second; CPU s per "
            + $"1,000: service {cpu.Service * 1000 / begun:0.00}, database {cpu.Database * 1000 / begun:0.00}, generator "
            + $"{cpu.Generator * 1000 / begun:0.00}");
    }

    async Task ListenAsync(Member member, CancellationToken over)
    {
        var key = Encoding.ASCII.GetBytes($"\"{prefix}");
        try
        {
            await member.Connection.ReceiveAsync(frame => Hear(member, key, frame.Span, over), over);
        }
        catch (OperationCanceledException)
        {
            // The benchmark is over.
        }
    }

    bool Hear(Member member, ReadOnlySpan<byte> key, ReadOnlySpan<byte> frame, CancellationToken over)
    {
        var now = Stopwatch.GetTimestamp();
        // A frame may end within a message.
        member.Received.Write(frame);
        var received = member.Received.WrittenSpan;
        var whole = received.LastIndexOf((byte)0x1e) + 1;
        foreach (var part in received[..whole].Split((byte)0x1e))
            Heed(member, received[part], key, now);
        var rest = received[whole..].ToArray();
        member.Received.ResetWrittenCount();
        member.Received.Write(rest);
        if (member is { IsBehind: true, InFlight: 0 })
        {
            (member.IsBehind, member.InFlight) = (false, 2);
            _ = member.AcknowledgeAsync(over);
        }
        return true;
    }

    void Heed(Member member, ReadOnlySpan<byte> message, ReadOnlySpan<byte> key, long now)
    {
        if (message.StartsWith("{\"type\":3"u8))
        {
            Interlocked.Increment(ref acknowledgements);
            member.InFlight--;
        }
        var at = message.IndexOf(key);
        if (at < 0 || message.IndexOf("\"message:new\""u8) < 0)
            return;
        if (Utf8Parser.TryParse(message[(at + key.Length)..], out int number, out _, 'x'))
            latencies.Add(now - Volatile.Read(ref sentAt[number]));
        member.IsBehind = true;
    }

    sealed class Member(HubConnection connection, Guid conversation)
    {
        public HubConnection Connection { get; } = connection;

        /// <summary>Whether something has come since the last acknowledgement.</summary>
        public bool IsBehind { get; set; }

        public int InFlight { get; set; }

        public ArrayBufferWriter<byte> Received { get; } = new();

        public async Task AcknowledgeAsync(CancellationToken ct)
        {
            await Connection.CallAsync("AckDelivered", $"\"{conversation}\",null", ct);
            await Connection.CallAsync("MarkRead", $"\"{conversation}\",null", ct);
        }
    }
}
