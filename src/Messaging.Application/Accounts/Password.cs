using Messaging.Application.Common;

namespace Messaging.Application.Accounts;

/// <summary>A password as somebody typed it. Prints as nothing, so that no log or exception holds it by accident.</summary>
public readonly record struct Password(string Text)
{
    /// <summary>In the form in which it is hashed: the same however the keyboard composed its letters.</summary>
    public string Composed => Nfc.Of(Text);

    public override string ToString() => "…";
}
