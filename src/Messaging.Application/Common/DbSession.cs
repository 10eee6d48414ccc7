using System.Data;
using System.Data.Common;
using Dapper;

namespace Messaging.Application.Common;

/// <summary>
/// A request's doorway to the database, beside the one writer of conversations. Adds the transaction and the token to every call; outside
/// a transaction each call takes a connection from the pool and gives it back.
/// </summary>
public sealed class DbSession(DbDataSource dataSource, ReadDataSource readDataSource, SearchDataSource searchDataSource) : IAsyncDisposable
{
    private DbDataSource? chosen;
    private DbConnection? connection;
    private DbTransaction? transaction;
    private List<Action>? afterCommit;

    public bool InTransaction => transaction is not null;

    private DbDataSource Pool => chosen ?? dataSource;

    /// <summary>Has the calls of <paramref name="query"/> take their connections from the pool for queries.</summary>
    public Task<T> ReadAsync<T>(Func<Task<T>> query) => FromAsync(readDataSource.Value, query);

    /// <summary>Has the calls of <paramref name="search"/>, within a query, take their connections from the pool for searches.</summary>
    public Task<T> SearchAsync<T>(Func<Task<T>> search) => FromAsync(searchDataSource.Value, search);

    /// <summary>Has the calls of <paramref name="write"/>, within a query, take their connections from the pool for commands.</summary>
    public Task<T> WriteAsync<T>(Func<Task<T>> write) => FromAsync(dataSource, write);

    public Task BeginAsync(CancellationToken ct) => BeginAsync(IsolationLevel.ReadCommitted, ct);

    /// <summary>Begins a transaction whose statements all see the database as it was at the first of them.</summary>
    public Task BeginSnapshotAsync(CancellationToken ct) => BeginAsync(IsolationLevel.RepeatableRead, ct);

    public async Task CommitAsync(CancellationToken ct)
    {
        await transaction!.CommitAsync(ct);
        var actions = afterCommit;
        await ReleaseAsync();
        actions?.ForEach(action => action());
    }

    /// <summary>Does something within the transaction that is open, or else within one of its own.</summary>
    public async Task<T> TransactAsync<T>(Func<Task<T>> use, CancellationToken ct)
    {
        if (InTransaction)
            return await use();
        await BeginAsync(ct);
        try
        {
            var result = await use();
            await CommitAsync(ct);
            return result;
        }
        catch
        {
            await RollbackAsync();
            throw;
        }
    }

    /// <summary>Runs the action once what was written is visible to others: at commit, or now where each call commits itself.</summary>
    public void AfterCommit(Action action)
    {
        if (InTransaction)
            (afterCommit ??= []).Add(action);
        else
            action();
    }

    public Task RollbackAsync() => ReleaseAsync().AsTask();

    /// <summary>Marks the place that <see cref="RollbackToAsync"/> goes back to, within the transaction.</summary>
    public Task SaveAsync(string savepoint, CancellationToken ct) => transaction!.SaveAsync(savepoint, ct);

    public Task RollbackToAsync(string savepoint, CancellationToken ct) => transaction!.RollbackAsync(savepoint, ct);

    public Task<List<T>> QueryAsync<T>(string sql, object? parameters, CancellationToken ct) =>
        UseAsync(async c => (await c.QueryAsync<T>(Command(sql, parameters, ct))).AsList(), ct);

    public Task<T?> QuerySingleOrDefaultAsync<T>(string sql, object? parameters, CancellationToken ct) =>
        UseAsync(c => c.QuerySingleOrDefaultAsync<T>(Command(sql, parameters, ct)), ct);

    public Task<T> QuerySingleAsync<T>(string sql, object? parameters, CancellationToken ct) =>
        UseAsync(c => c.QuerySingleAsync<T>(Command(sql, parameters, ct)), ct);

    public Task<int> ExecuteAsync(string sql, object? parameters, CancellationToken ct) =>
        UseAsync(c => c.ExecuteAsync(Command(sql, parameters, ct)), ct);

    /// <summary>Several statements in one round trip; <paramref name="read"/> takes their results in order.</summary>
    public Task<T> QueryBatchAsync<T>(string sql, object? parameters, Func<SqlMapper.GridReader, Task<T>> read, CancellationToken ct) =>
        UseAsync(
            async c =>
            {
                await using var grid = await c.QueryMultipleAsync(Command(sql, parameters, ct));
                return await read(grid);
            },
            ct);

    /// <summary>Has the connection used as it is, within the transaction that was begun.</summary>
    public Task UseTransactionAsync(Func<DbConnection, DbTransaction, Task> use) => GuardAsync(async () =>
    {
        await use(connection!, transaction!);
        return true;
    });

    public Task<T> QueryAsync<T>(Reading<T> reading, CancellationToken ct) =>
        reading.Sql.Length == 0 ? reading.ReadAsync(null!) : QueryBatchAsync(reading.Sql, reading.Parameters, reading.ReadAsync, ct);

    public ValueTask DisposeAsync() => ReleaseAsync();

    private async Task<T> FromAsync<T>(DbDataSource source, Func<Task<T>> use)
    {
        var before = chosen;
        chosen = source;
        try
        {
            return await use();
        }
        finally
        {
            chosen = before;
        }
    }

    private async Task BeginAsync(IsolationLevel isolation, CancellationToken ct)
    {
        connection = await Pool.OpenConnectionAsync(ct);
        transaction = await connection.BeginTransactionAsync(isolation, ct);
    }

    private CommandDefinition Command(string sql, object? parameters, CancellationToken ct) =>
        new(sql, parameters, transaction, cancellationToken: ct);

    private Task<T> UseAsync<T>(Func<DbConnection, Task<T>> use, CancellationToken ct) => GuardAsync(async () =>
    {
        if (connection is not null)
            return await use(connection);
        await using var pooled = await Pool.OpenConnectionAsync(ct);
        return await use(pooled);
    });

    private static async Task<T> GuardAsync<T>(Func<Task<T>> use)
    {
        try
        {
            return await use();
        }
        catch (DbException e) when (e.SqlState is SqlStates.SerializationFailure or SqlStates.DeadlockDetected)
        {
            throw new ChangedMeanwhileException(e);
        }
    }

    private async ValueTask ReleaseAsync()
    {
        if (transaction is not null)
            await transaction.DisposeAsync();
        if (connection is not null)
            await connection.DisposeAsync();
        transaction = null;
        connection = null;
        afterCommit = null;
    }
}

/// <summary>Statements that go to the database together with those of others, and what their results come to.</summary>
/// <param name="Sql">Empty where nothing has to be read.</param>
/// <param name="Parameters">Of names that no other reading of the round trip uses, unless they mean the same.</param>
/// <param name="ReadAsync">Takes the results of these statements, in their order.</param>
public sealed record Reading<T>(string Sql, object Parameters, Func<SqlMapper.GridReader, Task<T>> ReadAsync);

/// <summary>The pool for queries.</summary>
public sealed class ReadDataSource(DbDataSource value) : IAsyncDisposable
{
    public DbDataSource Value { get; } = value;

    public ValueTask DisposeAsync() => Value.DisposeAsync();
}

/// <summary>The pool for what changes conversations.</summary>
public sealed class WriteDataSource(DbDataSource value) : IAsyncDisposable
{
    public DbDataSource Value { get; } = value;

    public ValueTask DisposeAsync() => Value.DisposeAsync();
}

/// <summary>The pool for searches.</summary>
public sealed class SearchDataSource(DbDataSource value) : IAsyncDisposable
{
    public DbDataSource Value { get; } = value;

    public ValueTask DisposeAsync() => Value.DisposeAsync();
}

/// <summary>What the command was decided on has changed before it could be written; running it again decides anew.</summary>
public sealed class ChangedMeanwhileException(Exception? cause = null)
    : Exception("The data changed while the command ran.", cause);

public static class SqlStates
{
    public const string UniqueViolation = "23505";
    public const string ForeignKeyViolation = "23503";
    public const string SerializationFailure = "40001";
    public const string DeadlockDetected = "40P01";
    public const string QueryCanceled = "57014";
    public const string LockNotAvailable = "55P03";

    /// <summary>Whether the exception is a clash with the named constraint. By prefix: shards and partitions add a suffix.</summary>
    public static bool Violates(this DbException exception, string constraint) =>
        exception.SqlState is UniqueViolation or ForeignKeyViolation
        && exception.Data["ConstraintName"] is string name
        && name.StartsWith(constraint, StringComparison.Ordinal);
}
