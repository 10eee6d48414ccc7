using FluentValidation;
using Messaging.Domain.Common;

namespace Messaging.Application.Common;

/// <summary>The bound of a host's own JSON, the same wherever some is taken: it holds for what is stored and sent back.</summary>
public static class MetadataRules
{
    public static IRuleBuilderOptions<T, JsonText?> IsMetadata<T>(this IRuleBuilder<T, JsonText?> rule, LimitSettings limits) =>
        rule.Must(metadata => Fits(metadata, limits)).WithMessage(Expected(limits));

    /// <summary>Metadata after a JSON Merge Patch; what they come to is known only then.</summary>
    public static JsonText? Patch(JsonText? metadata, JsonText? patch, LimitSettings limits)
    {
        var merged = JsonMerge.Apply(metadata, patch);
        return Fits(merged, limits) ? merged : throw CommonErrors.Invalid("metadata", Expected(limits));
    }

    private static bool Fits(JsonText? metadata, LimitSettings limits) =>
        metadata is not { } json || json.StoredLength <= limits.MetadataBytes;

    private static string Expected(LimitSettings limits) =>
        $"At most {limits.MetadataBytes} bytes of JSON are expected, all together, with a space after each comma and colon and numbers "
            + "without an exponent.";
}
