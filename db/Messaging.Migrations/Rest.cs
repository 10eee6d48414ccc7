using FluentMigrator.Expressions;
using FluentMigrator.Infrastructure;

namespace Messaging.Migrations;

/// <summary>What is left of a migration whose run was killed between its statements.</summary>
sealed class Rest(IMigration whole, IReadOnlySet<string> done) : IMigration
{
    public string? ConnectionString => whole.ConnectionString;

    public void GetUpExpressions(IMigrationContext context) => Collect(whole.GetUpExpressions, context);

    public void GetDownExpressions(IMigrationContext context) => Collect(whole.GetDownExpressions, context);

    void Collect(Action<IMigrationContext> all, IMigrationContext context)
    {
        all(context);
        foreach (var step in context.Expressions.OfType<ExecuteSqlStatementExpression>().ToList())
        {
            if (done.Contains(step.SqlStatement))
                context.Expressions.Remove(step);
        }
    }
}
