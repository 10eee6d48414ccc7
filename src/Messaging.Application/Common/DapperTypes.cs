using System.Data;
using Dapper;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Common;

/// <summary>Teaches Dapper the project's value types, once per process.</summary>
public static class DapperTypes
{
    public static void Register()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        SqlMapper.AddTypeHandler(new Handler<Instant>(
            value => value is DateTime time
                ? Instant.FromDateTimeUtc(time)
                : throw new DataException("A timestamptz is expected."),
            instant => instant.ToDateTimeUtc()));
        SqlMapper.AddTypeHandler(new Handler<UserId>(value => new UserId((string)value), id => id.Value));
        SqlMapper.AddTypeHandler(new Handler<ConversationId>(value => new ConversationId((Guid)value), id => id.Value));
        SqlMapper.AddTypeHandler(new Handler<MessageId>(value => new MessageId((Guid)value), id => id.Value));
        SqlMapper.AddTypeHandler(new Handler<AttachmentId>(value => new AttachmentId((Guid)value), id => id.Value));
        SqlMapper.AddTypeHandler(new Handler<string[]>(value => (string[])value, array => array));
        SqlMapper.AddTypeHandler(new Handler<long[]>(value => (long[])value, array => array));
        SqlMapper.AddTypeHandler(new Handler<JsonText>(value => JsonText.OfStored((string)value), json => json.Value));
    }

    private sealed class Handler<T>(Func<object, T> parse, Func<T, object> write) : SqlMapper.TypeHandler<T>
    {
        public override T Parse(object value) => parse(value);

        public override void SetValue(IDbDataParameter parameter, T? value) =>
            parameter.Value = value is null ? DBNull.Value : write(value);
    }
}
