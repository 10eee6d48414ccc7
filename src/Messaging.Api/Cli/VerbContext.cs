using System.Text.Json;
using MediatR;
using Messaging.Application.Common;

namespace Messaging.Api.Cli;

/// <summary>A verb's arguments, and where its answer goes.</summary>
internal sealed record VerbContext(Arguments Arguments, IMediator Mediator, TextWriter Output, TextWriter Errors)
{
    /// <summary>Says the answer, to a person or as JSON.</summary>
    public async Task AnswerAsync<T>(T answer, params IEnumerable<string> lines)
    {
        if (Arguments.AsJson)
        {
            await Output.WriteLineAsync(JsonSerializer.Serialize(answer, MessagingJson.Options));
            return;
        }
        foreach (var line in lines)
            await Output.WriteLineAsync(line);
    }

    /// <summary>For the person only: a script that reads the answer does not get it.</summary>
    public Task RemarkAsync(string line) => Arguments.AsJson ? Task.CompletedTask : Errors.WriteLineAsync(line);
}
