using Messaging.Application.Common;
using StackExchange.Redis;

namespace Messaging.Infrastructure.Bus;

/// <summary><c>Messaging__Bus__*</c>: what carries signals between nodes; PostgreSQL without any of it.</summary>
public sealed class BusSettings : ISettings
{
    public static string Section => "Messaging:Bus";

    private const int LongestName = 100;

    /// <summary>A RabbitMQ broker, <c>amqp://user:password@host:port/vhost</c>; <c>amqps</c> with TLS.</summary>
    public string? RabbitMq { get; init; }

    /// <summary>
    /// A Redis server, <c>redis://user:password@host:port</c>, <c>rediss</c> with TLS, or in the form of StackExchange.Redis.
    /// </summary>
    public string? Redis { get; init; }

    /// <summary>Tells installations apart that share a broker; without it the database does.</summary>
    public string? Name { get; init; }

    public IEnumerable<string> Errors()
    {
        if (RabbitMq is not null && Redis is not null)
            yield return "Redis: is set beside RabbitMq; set one of the two.";
        if (RabbitMq is not null && !IsAddress(RabbitMq, "amqp", "amqps"))
            yield return "RabbitMq: an address such as amqp://user:password@host:5672/vhost is expected.";
        if (Redis is not null && RedisOptions() is null)
            yield return "Redis: an address such as redis://user:password@host:6379, or host:6379,password=…, is expected.";
        if (Name?.Length > LongestName || Name?.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_')) == true)
            yield return $"Name: at most {LongestName} of a-z A-Z 0-9 - _ are expected.";
    }

    /// <summary>Null where <see cref="Redis"/> cannot be read.</summary>
    public ConfigurationOptions? RedisOptions()
    {
        if (Redis!.Contains("://", StringComparison.Ordinal))
            return IsAddress(Redis, "redis", "rediss") ? OptionsOf(new Uri(Redis)) : null;
        try
        {
            return ConfigurationOptions.Parse(Redis) is { EndPoints.Count: > 0 } options ? options : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static ConfigurationOptions OptionsOf(Uri address)
    {
        var credentials = Array.ConvertAll(address.UserInfo.Split(':', 2), Uri.UnescapeDataString);
        return new ConfigurationOptions
        {
            EndPoints = { { address.Host, address.Port > 0 ? address.Port : 6379 } },
            Ssl = address.Scheme == "rediss",
            User = credentials[0] is { Length: > 0 } user ? user : null,
            Password = credentials.ElementAtOrDefault(1),
        };
    }

    private static bool IsAddress(string text, params string[] schemes) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && schemes.Contains(address.Scheme) && address.Host.Length > 0;
}
