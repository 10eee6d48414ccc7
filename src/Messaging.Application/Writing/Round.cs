using System.Data.Common;

namespace Messaging.Application.Writing;

/// <summary>Statements that go to the database in one round trip, each that comes to rows with what takes them.</summary>
public sealed class Round(DbConnection connection, DbTransaction? transaction) : IAsyncDisposable
{
    private readonly DbBatch batch = Create(connection, transaction);
    private readonly List<Action<DbDataReader>> readers = [];

    /// <summary>Whether it is part of a transaction that goes on, which can come back to nothing.</summary>
    public bool IsWithin => transaction is not null;

    public bool IsEmpty => batch.BatchCommands.Count == 0;

    /// <summary>A statement that comes to no rows.</summary>
    public void Add(string sql, params ReadOnlySpan<object?> values)
    {
        // With positional parameters, which the driver need not look for in the text.
        var command = batch.CreateBatchCommand();
        command.CommandText = sql;
        foreach (var value in values)
        {
            var parameter = command.CreateParameter();
            parameter.Value = value ?? DBNull.Value;
            command.Parameters.Add(parameter);
        }
        batch.BatchCommands.Add(command);
    }

    /// <summary>A statement of whose rows each is given to <paramref name="read"/>.</summary>
    public void Read(string sql, Action<DbDataReader> read, params ReadOnlySpan<object?> values)
    {
        Add(sql, values);
        readers.Add(read);
    }

    public async Task RunAsync(CancellationToken ct)
    {
        await using var reader = await batch.ExecuteReaderAsync(ct);
        foreach (var read in readers)
        {
            while (await reader.ReadAsync(ct))
                read(reader);
            await reader.NextResultAsync(ct);
        }
    }

    public ValueTask DisposeAsync() => batch.DisposeAsync();

    private static DbBatch Create(DbConnection connection, DbTransaction? transaction)
    {
        var created = connection.CreateBatch();
        created.Transaction = transaction;
        return created;
    }
}
