namespace Messaging.Application.Common;

/// <summary>What an operator may set of a module. Found by scanning, and checked at start.</summary>
public interface ISettings
{
    /// <summary>Where it stands in the configuration, such as <c>Messaging:Limits</c>.</summary>
    static abstract string Section { get; }

    /// <summary>All that is wrong with values that are well-formed, each led by the member's name and a colon; never a value.</summary>
    IEnumerable<string> Errors() => [];

    /// <inheritdoc cref="Errors()"/>
    /// <param name="inProduction">Whether it is asked for what only production needs.</param>
    IEnumerable<string> Errors(bool inProduction) => Errors();
}
