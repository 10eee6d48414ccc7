using FluentMigrator;

namespace Messaging.FluentMigrator;

/// <summary>A migration whose text is a pair of scripts of db/migrations, embedded under their file names.</summary>
public abstract class EmbeddedScript(string name) : Migration
{
    public override void Up() => Execute.EmbeddedScript($"{name}.up.sql");

    public override void Down() => Execute.EmbeddedScript($"{name}.down.sql");
}
