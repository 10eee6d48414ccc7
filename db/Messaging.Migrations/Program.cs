using Messaging.Migrations;

return await Cli.MainAsync(args, ScriptSet.OfThisRelease);
