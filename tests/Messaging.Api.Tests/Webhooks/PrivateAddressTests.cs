using System.Net;
using Messaging.Infrastructure.Outbound;
using Messaging.Infrastructure.Webhooks;

namespace Messaging.Api.Tests.Webhooks;

/// <summary>Nothing in a private network is called, however its address is written or found.</summary>
public sealed class PrivateAddressTests : WebhookClientFixture
{
    private const string Refusal = "The address is in a private network.";

    [TestCase("0.0.0.0")]
    [TestCase("0.1.2.3")]
    [TestCase("10.0.0.1")]
    [TestCase("100.64.0.1")]
    [TestCase("100.127.255.254")]
    [TestCase("127.0.0.1")]
    [TestCase("127.255.255.254")]
    [TestCase("169.254.169.254")]
    [TestCase("172.16.0.1")]
    [TestCase("172.31.255.254")]
    [TestCase("192.0.0.8")]
    [TestCase("192.0.2.1")]
    [TestCase("192.88.99.1")]
    [TestCase("192.168.1.1")]
    [TestCase("198.18.0.1")]
    [TestCase("198.19.255.254")]
    [TestCase("198.51.100.1")]
    [TestCase("203.0.113.1")]
    [TestCase("224.0.0.1")]
    [TestCase("239.255.255.250")]
    [TestCase("240.0.0.1")]
    [TestCase("255.255.255.255")]
    [TestCase("::")]
    [TestCase("::1")]
    [TestCase("::127.0.0.1")]
    [TestCase("::8.8.8.8")]
    [TestCase("::ffff:127.0.0.1")]
    [TestCase("::ffff:10.0.0.1")]
    [TestCase("::ffff:0:10.0.0.1")]
    [TestCase("64:ff9b::10.0.0.1")]
    [TestCase("64:ff9b::169.254.169.254")]
    [TestCase("64:ff9b:1::8.8.8.8")]
    [TestCase("100::1")]
    [TestCase("2001::1")]
    [TestCase("2001:0:4136:e378:8000:63bf:f5ff:fffe")]
    [TestCase("2001:20::1")]
    [TestCase("2001:db8::1")]
    [TestCase("2002:0a00:0001::1")]
    [TestCase("2002:7f00:0001::1")]
    [TestCase("3fff::1")]
    [TestCase("5f00::1")]
    [TestCase("fc00::1")]
    [TestCase("fd12:3456:789a::1")]
    [TestCase("fe80::1")]
    [TestCase("fe80::1%1")]
    [TestCase("fec0::1")]
    [TestCase("ff02::1")]
    public void An_address_for_a_special_purpose_is_not_public(string address) =>
        Assert.That(PublicAddresses.Contain(IPAddress.Parse(address)), Is.False);

    [TestCase("1.1.1.1")]
    [TestCase("9.255.255.255")]
    [TestCase("11.0.0.0")]
    [TestCase("100.63.255.255")]
    [TestCase("100.128.0.0")]
    [TestCase("172.15.255.255")]
    [TestCase("172.32.0.0")]
    [TestCase("192.167.255.255")]
    [TestCase("192.169.0.0")]
    [TestCase("223.255.255.255")]
    [TestCase("::ffff:8.8.8.8")]
    [TestCase("64:ff9b::8.8.8.8")]
    [TestCase("2002:0808:0808::1")]
    [TestCase("2001:4860:4860::8888")]
    [TestCase("2606:4700:4700::1111")]
    [TestCase("2a00:1450::1")]
    public void Any_other_address_is_public(string address) =>
        Assert.That(PublicAddresses.Contain(IPAddress.Parse(address)), Is.True);

    [TestCase("http://127.1/")]
    [TestCase("http://2130706433/")]
    [TestCase("http://017700000001/")]
    [TestCase("http://0x7f000001/")]
    [TestCase("http://0x7f.1/")]
    [TestCase("http://0177.0.0.01/")]
    [TestCase("http://[::1]/")]
    [TestCase("http://[::ffff:7f00:1]/")]
    [TestCase("http://[fe80::1%251]/")]
    public async Task A_private_address_in_an_odd_form_is_refused_without_a_look_up(string url)
    {
        var names = new Names((string?)null);

        Assert.That(await Addresses(names).IsRefusedAsync(new Uri(url), CancellationToken.None), Is.True);
        Assert.That(names.Asked, Is.Empty);
    }

    [TestCase("http://localhost/", "localhost")]
    [TestCase("http://localhost./", "localhost.")]
    [TestCase("http://127.0.0.1./", "127.0.0.1.")]
    [TestCase("http://bücher.example/", "xn--bcher-kva.example")]
    [TestCase("http://LOCALHOST/", "localhost")]
    public async Task A_name_in_an_odd_form_is_refused_by_where_it_leads(string url, string name)
    {
        var names = new Names("127.0.0.1");

        Assert.That(await Addresses(names).IsRefusedAsync(new Uri(url), CancellationToken.None), Is.True);
        Assert.That(names.Asked, Is.EqualTo(new[] { name }));
    }

    [TestCase("93.184.216.34", false)]
    [TestCase("93.184.216.34 10.0.0.1", true)]
    [TestCase("2606:4700:4700::1111 ::1", true)]
    [TestCase(null, false)]
    public async Task A_name_is_refused_if_any_of_its_addresses_is_private(string? answer, bool refused) => Assert.That(
        await Addresses(new Names(answer)).IsRefusedAsync(new Uri($"https://{Name}/"), CancellationToken.None), Is.EqualTo(refused));

    [Test]
    public async Task The_system_s_own_names_are_refused() => Assert.That(
        await Addresses(new SystemNames()).IsRefusedAsync(new Uri("http://localhost:5432/"), CancellationToken.None), Is.True);

    [Test]
    public async Task A_private_address_is_not_called()
    {
        await using var receiver = Receiver.Answering(Receiver.Ok);
        using var client = Client(allowPrivate: false);

        Assert.That((await client.SendAsync(Call(receiver.Url), CancellationToken.None)).Error, Is.EqualTo(Refusal));
        Assert.That(receiver.Connections, Is.Zero);
    }

    [Test]
    public async Task A_name_that_leads_elsewhere_after_it_was_checked_is_not_called()
    {
        await using var receiver = Receiver.Answering(Receiver.Ok);
        var (names, url) = (new Names("93.184.216.34", "127.0.0.1"), new Uri($"http://{Name}:{receiver.Port}/"));
        using var client = Client(names, allowPrivate: false);
        Assert.That(await Addresses(names).IsRefusedAsync(url, CancellationToken.None), Is.False);

        Assert.That((await client.SendAsync(Call(url), CancellationToken.None)).Error, Is.EqualTo(Refusal));
        Assert.That((names.Asked.Count, receiver.Connections), Is.EqualTo((2, 0)));
    }

    // Asked a second time, the name would lead to where nobody listens.
    [Test]
    public async Task The_address_that_was_checked_is_the_one_that_is_connected_to()
    {
        await using var receiver = Receiver.Answering(Receiver.Ok);
        var names = new Names("127.0.0.1", "127.0.0.2");
        using var client = Client(names);

        var outcome = await client.SendAsync(Call(new Uri($"http://{Name}:{receiver.Port}/")), CancellationToken.None);

        Assert.That((outcome.Status, names.Asked.Count), Is.EqualTo(((int?)200, 1)));
    }

    [Test]
    public async Task The_next_address_is_tried_where_one_does_not_answer()
    {
        await using var receiver = Receiver.Answering(Receiver.Ok);
        using var client = Client(new Names("127.0.0.2 127.0.0.1"));

        var outcome = await client.SendAsync(Call(new Uri($"http://{Name}:{receiver.Port}/")), CancellationToken.None);

        Assert.That(outcome.Status, Is.EqualTo(200));
    }

    private static OutboundAddresses Addresses(INameResolver names) => new(names, new WebhookSettings());
}
