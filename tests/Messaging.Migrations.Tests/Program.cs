using Messaging.Migrations;
using Messaging.Migrations.Tests;

// messaging-db in a process of its own, with the tests' scripts that the first argument names in place of the release's.
return await Cli.MainAsync(args[1..], Scripts.Named(args[0]));
