using System.Data.Common;

namespace Messaging.Application.Writing;

static class DbBatches
{
    /// <summary>Adds a statement with positional parameters, which the driver need not look for in the text.</summary>
    public static void Add(this DbBatch batch, string sql, params ReadOnlySpan<object?> values)
    {
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

    /// <summary>Adds a statement with parameters by name.</summary>
    public static void AddNamed(this DbBatch batch, string sql, params ReadOnlySpan<(string Name, object Value)> values)
    {
        var command = batch.CreateBatchCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value);
            command.Parameters.Add(parameter);
        }
        batch.BatchCommands.Add(command);
    }
}
