using System.Reflection;
using System.Text.RegularExpressions;
using Messaging.Testing;
using Messaging.Application;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Database;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Messaging.Architecture.Tests;

public sealed partial class LayerTests
{
    private static readonly Assembly Domain = typeof(UserId).Assembly;
    private static readonly Assembly Application = typeof(ApplicationSetup).Assembly;
    private static readonly Assembly Infrastructure = typeof(DatabaseModule).Assembly;

    [Test]
    public void The_domain_knows_time_and_nothing_else()
    {
        Assert.That(References(Domain).Where(name => !IsRuntime(name)), Is.EqualTo(new[] { "NodaTime" }));
    }

    [Test]
    public void The_application_knows_neither_the_driver_nor_HTTP()
    {
        Assert.That(
            References(Application),
            Has.None.StartsWith("Npgsql").And.None.StartsWith("Microsoft.AspNetCore").And.None.StartsWith("System.Net"));
        Assert.That(References(Application), Has.None.EqualTo("Messaging.Infrastructure").And.None.EqualTo("Messaging.Api"));
    }

    [Test]
    public void The_infrastructure_knows_neither_the_API_nor_the_server()
    {
        Assert.That(References(Infrastructure), Has.None.EqualTo("Messaging.Api").And.None.StartsWith("Microsoft.AspNetCore"));
    }

    // By every name in a file: of a parameter, a return type, a local, a generic argument.
    [Test]
    public void In_the_API_only_what_is_listed_here_knows_the_database()
    {
        var knowing = SourceFile.Of(".cs", "src/Messaging.Api")
            .Where(file => file.Syntax.DescendantNodes().OfType<SimpleNameSyntax>().Any(name => IsDatabase(name.Identifier.Text)))
            .Select(file => file.Name);

        Assert.That(knowing, Is.EquivalentTo(new[] { "ConfigCheck", "ConfigurationModule", "IdempotencyMiddleware" }));
    }

    [Test]
    public void The_API_holds_no_statements()
    {
        var statements = SourceFile.Of(".cs", "src/Messaging.Api").SelectMany(file => file.Syntax.DescendantNodes())
            .Where(node => node is LiteralExpressionSyntax or InterpolatedStringExpressionSyntax)
            .Select(node => node.ToString()).Where(text => Statement().IsMatch(text));

        Assert.That(statements, Is.Empty);
    }

    [GeneratedRegex(
        @"\b(SELECT\b.*\bFROM|INSERT INTO|UPDATE\b.*\bSET|DELETE FROM|CREATE|ALTER|DROP)\b",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Statement();

    [Test]
    public void Every_request_has_one_handler_and_its_file_bears_its_name()
    {
        var requests = Application.GetTypes().Where(type => type.GetInterfaces().Any(i => i.IsGenericType
            && i.GetGenericTypeDefinition().Name is "ICommand`1" or "IQuery`1") && !type.IsInterface).ToList();
        var files = Directory.EnumerateFiles(Repository.File("src/Messaging.Application"), "*.cs", SearchOption.AllDirectories)
            .Select(Path.GetFileNameWithoutExtension).ToHashSet();

        Assert.That(requests, Is.Not.Empty);
        Assert.That(requests.Where(request => !files.Contains(request.Name)), Is.Empty);
        Assert.That(requests.Where(request => Handlers(request) != 1), Is.Empty);
    }

    [Test]
    public void Every_command_with_one_transaction_for_all_it_does_says_why()
    {
        var commands = Application.GetTypes().Where(type => !type.IsInterface
            && type.GetInterfaces().Any(i => i.Name == "ITransactionCommand`1")).ToList();

        Assert.That(commands, Is.Not.Empty);
        Assert.That(commands.Where(type => type.GetCustomAttribute<OneTransactionAttribute>() is not { Reason.Length: > 0 }), Is.Empty);
    }

    private static int Handlers(Type request) => Application.GetTypes().Count(type => type.GetInterfaces()
        .Any(i => i.IsGenericType && i.Name == "IRequestHandler`2" && i.GenericTypeArguments[0] == request));

    private static IEnumerable<string> References(Assembly assembly) => assembly.GetReferencedAssemblies().Select(name => name.Name!);

    private static bool IsDatabase(string name) => name.StartsWith("Npgsql", StringComparison.Ordinal)
        || name is "Dapper" or "DbSession" or "DbDataSource" or "DirectDataSource" or "DbConnection" or "IDbConnection";

    private static bool IsRuntime(string name) => name.StartsWith("System", StringComparison.Ordinal) || name is "netstandard";
}
