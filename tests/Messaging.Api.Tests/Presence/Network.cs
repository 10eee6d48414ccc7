using System.Text.Json;
using Messaging.Application.Bus;

namespace Messaging.Api.Tests.Presence;

/// <summary>Carries words between nodes, as JSON, in their order.</summary>
internal sealed class Network
{
    private readonly Dictionary<string, Node> nodes = [];
    private readonly Queue<(string From, string Topic, string Json)> underway = new();

    public IBus Join(string name) => nodes[name] = new Node(name, this);

    public void Greet(string name) => nodes[name].Greetings.ForEach(greet => greet());

    public void Deliver()
    {
        while (underway.TryDequeue(out var word))
        {
            foreach (var node in nodes.Values.Where(node => node.Name != word.From))
                node.Hear(word.From, word.Topic, word.Json);
        }
    }

    /// <summary>What is said meanwhile reaches nobody.</summary>
    public void Lose(Action action)
    {
        Deliver();
        foreach (var node in nodes.Values)
            node.IsCutOff = true;
        action();
        Deliver();
        foreach (var node in nodes.Values)
            node.IsCutOff = false;
    }

    private sealed class Node(string name, Network network) : IBus
    {
        private readonly Dictionary<string, Action<string, string>> subscribers = [];

        string IBus.Node => name;

        public bool IsUp => !IsCutOff;

        public IReadOnlyCollection<string> Others => [.. network.nodes.Keys.Where(other => other != name)];

        public string Name => name;

        public bool IsCutOff { get; set; }

        public List<Action> Greetings { get; } = [];

        public void Publish<T>(string topic, T body)
        {
            if (!IsCutOff)
                network.underway.Enqueue((name, topic, JsonSerializer.Serialize(body, JsonSerializerOptions.Web)));
        }

        public void Subscribe<T>(string topic, Action<string, T> hear) =>
            subscribers[topic] = (node, json) => hear(node, JsonSerializer.Deserialize<T>(json, JsonSerializerOptions.Web)!);

        public void OnConnected(Action connected) => Greetings.Add(connected);

        public void Hear(string from, string topic, string json) => subscribers.GetValueOrDefault(topic)?.Invoke(from, json);
    }
}
