using System.Data.Common;
using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Configuration;
using Messaging.Application.Accounts;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Api.Cli;

/// <summary>What the executable does besides serving: the same use cases as over HTTP, from a shell.</summary>
public static class Verbs
{
    private const string Usage =
        """
        serve                                        serves; also without a verb
        keys create --name <name> --scopes <a,b>     makes a service key and shows it this once
        keys list                                    lists the service keys
        keys revoke <id>                             refuses a service key from now on
        keys vapid                                   makes a pair of keys for Web Push, and keeps none of it
        tokens mint <userId> [--ttl <seconds>]       makes a user token, good for an hour unless said
        jobs list                                    lists the jobs and when each is due, by its schedule in UTC
        jobs run <name>                              runs a job now, unless a node is running it
        config check                                 says what is wrong with the configuration, and how many nodes PostgreSQL has room for
        Each takes --json. Exit codes: 0 done, 1 failed, 2 wrong use.
        """;

    private const int Done = 0;
    private const int Failed = 1;
    private const int WrongUse = 2;

    /// <summary>Runs the verb that the arguments name and returns the exit code; null when the service is to be started.</summary>
    public static Task<int?> TryRunAsync(string[] args) => TryRunAsync(args, Console.Out, Console.Error, settings: null);

    /// <inheritdoc cref="TryRunAsync(string[])"/>
    /// <param name="settings">Configuration above all other.</param>
    public static async Task<int?> TryRunAsync(
        string[] args, TextWriter output, TextWriter errors, IEnumerable<KeyValuePair<string, string?>>? settings)
    {
        if (args is ["help" or "--help", ..])
        {
            await output.WriteLineAsync(Usage);
            return Done;
        }
        if (args is [] or ["serve", ..] || args[0].StartsWith('-') || ConfigCheck.IsAsked(args))
            return null;
        try
        {
            await RunAsync(args, output, errors, settings);
            return Done;
        }
        catch (UsageException e)
        {
            await errors.WriteLineAsync($"{e.Message}{Environment.NewLine}{Usage}");
            return WrongUse;
        }
        catch (ConfigurationException e)
        {
            await errors.WriteLineAsync(e.Message);
            return WrongUse;
        }
        catch (RuleException e)
        {
            foreach (var problem in e.Problems)
                await errors.WriteLineAsync(problem.Member is null or "" ? problem.Detail : $"{problem.Member}: {problem.Detail}");
            return e.Problem.Code == ProblemCodes.InvalidRequest ? WrongUse : Failed;
        }
        catch (DbException e)
        {
            await errors.WriteLineAsync($"The database cannot be used: {e.Message}");
            return Failed;
        }
    }

    private static async Task RunAsync(
        string[] args, TextWriter output, TextWriter errors, IEnumerable<KeyValuePair<string, string?>>? settings)
    {
        var arguments = Arguments.Parse(args);
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Logging.ClearProviders();
        builder.Services.AddModules(builder.Environment);

        await using var app = builder.Build();
        // What is wrong elsewhere keeps nobody from revoking a key. A job may use anything; a pair of keys needs nothing.
        string[] sections = arguments.Positionals is ["jobs", ..]
            ? [] : [LimitSettings.Section, AuthSettings.Section, AccountSettings.Section];
        if (arguments.Positionals is not ["keys", "vapid"] && app.Services.FindErrorsOfSections(sections) is { Count: > 0 } found)
            throw new ConfigurationException(found);
        await using var scope = app.Services.CreateAsyncScope();
        var session = new VerbContext(arguments, scope.ServiceProvider.GetRequiredService<IMediator>(), output, errors);
        await RunAsync(session, app.Services);
    }

    private static Task RunAsync(VerbContext session, IServiceProvider services) =>
        session.Arguments.Positionals switch
        {
            ["keys", "create"] => KeyVerbs.CreateAsync(session),
            ["keys", "list"] => KeyVerbs.ListAsync(session),
            ["keys", "revoke", var id] => KeyVerbs.RevokeAsync(session, id),
            ["keys", "vapid"] => KeyVerbs.VapidAsync(session),
            ["tokens", "mint", var userId] => TokenVerbs.MintAsync(session, userId),
            ["jobs", "list"] => JobVerbs.ListAsync(session, services),
            ["jobs", "run", var name] => JobVerbs.RunAsync(session, services, name),
            var words => throw new UsageException($"There is no verb '{string.Join(' ', words)}'."),
        };

    private sealed class ConfigurationException(IEnumerable<string> errors) : Exception(string.Join(Environment.NewLine, errors));
}
