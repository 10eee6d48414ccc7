using System.Text.Json;
using FluentValidation;
using Messaging.Application.Common;
using Messaging.Domain.Notifications;
using NodaTime;
using NodaTime.Extensions;
using NodaTime.Text;

namespace Messaging.Application.Notifications;

/// <summary>When nothing is pushed, by the clock where the user lives: what is unread by their end is pushed then.</summary>
/// <param name="From">Such as <c>22:00</c>.</param>
/// <param name="To">Such as <c>07:00</c>; on the next day, unless it is later than <paramref name="From"/>.</param>
/// <param name="TimeZone">Of the IANA database, such as <c>Europe/Berlin</c>.</param>
/// <param name="Days">The days on which they begin, such as <c>monday</c>; every day if absent.</param>
public sealed record QuietHoursView(string From, string To, string TimeZone, IReadOnlyList<DayOfWeek>? Days = null)
{
    internal static readonly LocalTimePattern Time = LocalTimePattern.CreateWithInvariantCulture("HH:mm");

    internal JsonText ToJson() => new(JsonSerializer.Serialize(this, MessagingJson.Options));

    /// <summary>The same as a rule; null for a time zone that is no longer known.</summary>
    public QuietHours? ToRule() => DateTimeZoneProviders.Tzdb.GetZoneOrNull(TimeZone) is { } zone
        ? new QuietHours(
            Time.Parse(From).Value, Time.Parse(To).Value, zone,
            (Days ?? Enum.GetValues<DayOfWeek>()).Select(day => day.ToIsoDayOfWeek()).ToHashSet())
        : null;
}

public sealed class QuietHoursValidator : AbstractValidator<QuietHoursView>
{
    public QuietHoursValidator()
    {
        RuleFor(q => q.From).Must(IsTime).WithMessage("A time of day such as 22:00 is expected.");
        RuleFor(q => q.To).Must(IsTime).WithMessage("A time of day such as 07:00 is expected.");
        RuleFor(q => q.To).NotEqual(q => q.From).WithMessage("Quiet hours end at another time than they begin.");
        RuleFor(q => q.TimeZone).Must(zone => DateTimeZoneProviders.Tzdb.GetZoneOrNull(zone) is not null)
            .WithMessage("The name of a time zone such as Europe/Berlin is expected.");
        RuleFor(q => q.Days).Must(days => days is null || (days.Count > 0 && days.Distinct().Count() == days.Count))
            .WithMessage("One day or more, each once, such as monday; leave it out for every day.");
    }

    private static bool IsTime(string text) => QuietHoursView.Time.Parse(text).Success;
}
