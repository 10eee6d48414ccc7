namespace Messaging.Migrations.Migrations;

/// <summary>Who has taken a question back, and when: for a day the other one does not hear of it again.</summary>
[Migration(202611281601, "remember_questions_taken_back (compatible)")]
public sealed class RememberQuestionsTakenBack : Migration
{
    public override void Up() => Execute.Sql("""
        ALTER TABLE declines ADD COLUMN taken_back_at timestamptz;
        ALTER TABLE declines ALTER COLUMN declined_at DROP NOT NULL;
        """);

    public override void Down() => Execute.Sql("""
        DELETE FROM declines WHERE declined_at IS NULL;
        ALTER TABLE declines ALTER COLUMN declined_at SET NOT NULL;
        ALTER TABLE declines DROP COLUMN taken_back_at;
        """);
}
