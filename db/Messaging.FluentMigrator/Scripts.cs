using FluentMigrator;

namespace Messaging.FluentMigrator;

// One line per script of db/migrations, in their order; a script marked outside-transaction takes TransactionBehavior.None:
// [Migration(202601010001, "create_people")] public sealed class M202601010001() : EmbeddedScript("202601010001_create_people");
// [Migration(202601030001, TransactionBehavior.None, "index_names")] public sealed class M202601030001() : EmbeddedScript("202601030001_index_names");
