namespace Messaging.Domain.Messages;

/// <summary>A geographic location.</summary>
/// <param name="Latitude">Degrees, -90 to 90.</param>
/// <param name="Longitude">Degrees, -180 to 180.</param>
/// <param name="Label">A name for the place, 1 to 200 characters.</param>
public sealed record MessageLocation(double Latitude, double Longitude, string? Label = null);

/// <summary>An object of the host product that a message shares.</summary>
/// <param name="Type">1 to 64 of <c>[A-Za-z0-9_.-]</c>, such as <c>post</c>.</param>
/// <param name="Id">The host's own id for it, 1 to 128 characters.</param>
/// <param name="Title">1 to 200 characters.</param>
/// <param name="Url">Where it is found.</param>
/// <param name="ImageUrl">What it looks like.</param>
public sealed record MessageReference(string Type, string Id, string? Title = null, string? Url = null, string? ImageUrl = null);
